import { familiar, isDigest, parseReference, type Reference } from "../oci/index.ts";

/** What an engine takes for an image's ID, or the beginning of one. */
const id = /^(?:sha256:)?[0-9a-f]{12,64}$/;

/** Whether a name is the ID of an image, perhaps only its beginning, and no reference. */
export const isImageId = (name: string): boolean => isDigest(name) || id.test(name);

/**
 * The name of an image as engines take it: `alpine` is `alpine:latest`, of tag and digest the digest counts, and what is an ID stays one.
 * @throws DrayError `REFERENCE_INVALID`
 */
export const engineName = (name: string): string => {
  if (isImageId(name)) return name;
  const { repository, tag } = nameAndTag(parseReference(name));
  return `${repository}${isDigest(tag) ? "@" : ":"}${tag}`;
};

/** The name in the path of a question; slashes and colons stand there as they are. */
export const nameInPath = (name: string): string =>
  encodeURIComponent(name).replaceAll("%2F", "/").replaceAll("%3A", ":");

/** A name's two halves, as `tag`, `pull` and `push` want them: `tag` is a digest where the reference has one. */
export const nameAndTag = (reference: Reference): { readonly repository: string; readonly tag: string } => {
  const { registry, repository, tag, digest } = reference;
  return { repository: familiar({ registry, repository }), tag: digest ?? tag ?? "latest" };
};
