import { annotationKeys, type Descriptor, platformCovers, type WantedPlatform, wantedPlatform } from "../oci/index.ts";

/** Whether an entry of an index is meant. */
export type Matcher = (entry: Descriptor) => boolean;

/** Entries of these names, as layouts keep them in `org.opencontainers.image.ref.name`. @example index.manifests.filter(byName("1.0")) */
export const byName =
  (...names: readonly string[]): Matcher =>
  ({ annotations }) =>
    names.includes(annotations?.[annotationKeys.refName] ?? "") && annotations?.[annotationKeys.refName] !== undefined;

/** Entries that have an annotation, of this value or of any. @example index.manifests.filter(byAnnotation("org.example.team", "a")) */
export const byAnnotation =
  (key: string, value?: string): Matcher =>
  ({ annotations }) => {
    const said = annotations?.[key];
    return said !== undefined && (value === undefined || said === value);
  };

/**
 * Entries for these platforms. What is left out may be anything: `linux` is every Linux, `linux/arm` every variant of it. An entry without a
 * platform is for none.
 * @throws DrayError `PLATFORM_INVALID`
 * @example index.manifests.filter(byPlatform("linux", "windows/amd64"))
 */
export const byPlatform = (...platforms: readonly (string | WantedPlatform)[]): Matcher => {
  const wanted = platforms.map(wantedPlatform);
  return ({ platform }) => platform !== undefined && wanted.some((each) => platformCovers(each, platform));
};

/** Entries of these media types. @example index.manifests.filter(byMediaType(mediaTypes.ociManifest)) */
export const byMediaType =
  (...types: readonly string[]): Matcher =>
  ({ mediaType }) =>
    types.includes(mediaType);

/** Entries of these digests. @example index.manifests.filter(byDigest(digest)) */
export const byDigest =
  (...digests: readonly string[]): Matcher =>
  ({ digest }) =>
    digests.includes(digest);
