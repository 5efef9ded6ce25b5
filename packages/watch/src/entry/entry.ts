import type { Digest } from "dray/oci";

/** The image of an index, or the only one, that is for a platform. */
export interface ImagePlatform {
  /** `linux/arm64`, `windows/amd64:10.0.17763.1`. */
  readonly platform: string;
  /** Of its manifest. */
  readonly digest: Digest;
}

/** What a look at a tag finds out. Times are RFC 3339, as they were written. */
export interface ImageInfo {
  /** The image by its canonical name and tag: `docker.io/library/alpine:3.22`. */
  readonly id: string;
  /** What the tag names, the digest of an index where it is one: another one, and the tag has moved. */
  readonly digest: Digest;
  readonly mediaType?: string;
  /** The image's own manifest, where `digest` is that of an index: the one whose configuration was read. */
  readonly childDigest?: Digest;
  /** What the image is, however many names it has: the digest of its configuration, or the identifier of an image of schema 1. */
  readonly imageID?: string;
  /** What it is, where that is no image to be run, such as a chart. */
  readonly artifactType?: string;
  /** Of the configuration: what its `config` says, else its `container_config`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Of the manifest and, where that says nothing, of the index. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the configuration says. Reproducible builds say 1970 or 1980. */
  readonly createdAt?: string;
  /** When it was looked at. */
  readonly lastFetched?: string;
  /** Every platform that there is an image for. None is said of what is no image, or says nothing of itself. */
  readonly platforms?: readonly ImagePlatform[];
}

/**
 * Why an image is left out:
 * - `no-platform`: there is none for the platforms that were asked for, now or ever under this digest;
 * - `unknown-type`: its media type is none that can be looked into;
 * - `bad-manifest`: its manifest says what no manifest may say, or is an answer that is no manifest at all;
 * - `bad-configuration`: its configuration is no JSON object;
 * - `missing-manifest`, `missing-configuration`: it names one that the registry does not have, which may come yet;
 * - `told`: somebody else has found a reason, in words.
 */
export type ExcludedReason =
  | "no-platform"
  | "unknown-type"
  | "bad-manifest"
  | "bad-configuration"
  | "missing-manifest"
  | "missing-configuration"
  | "told";

/** A reason to leave an image out. */
export interface Excluded {
  readonly reason: ExcludedReason;
  /** The same for people. It names no tag: what a digest names is the same everywhere. */
  readonly message: string;
  /** What the tag names, where that is known: another one, and the reason may be gone. */
  readonly digest?: Digest;
  readonly lastFetched?: string;
}

/** What came of looking at an image: what it is, or why it is left out; never both. */
export type ImageEntry =
  | { readonly info: ImageInfo; readonly excluded?: never }
  | { readonly excluded: Excluded; readonly info?: never };
