/** Which end of an order is wanted: `asc` the last of it, the largest; `desc` the first. As Flux says it; default `asc`. */
export type Direction = "asc" | "desc";

/** What an image has to have. */
export type Requirement = "signature" | "sbom";

/** Whether a reference is pinned to a digest: never; once, and kept while the tag stays the same; or always to what the tag names now. */
export type DigestReflection = "Never" | "IfNotPresent" | "Always";

/**
 * A policy as data, in the names of Flux's ImagePolicy and some more: one order (`semver` where none is said), what is filtered before it, and
 * what an image needs. A tag called `latest` is in no order; `{ tag: "latest" }` is the policy for it.
 * @example { semver: { range: "^1.2" }, filterTags: { pattern: "^(.*)-alpine$", extract: "$1" }, minAge: "3d" }
 */
export interface PolicyDocument {
  /** By version. `range`: default all; `strict`: three numbers by semver.org; `prerelease`: pre-releases are in every range. */
  readonly semver?: { readonly range?: string; readonly strict?: boolean; readonly prerelease?: boolean };
  /** By date. `format`: of calver.org, such as `YYYY.0M.MICRO`; default the usual ones; `prerelease`: those count, too. */
  readonly calver?: { readonly format?: string; readonly prerelease?: boolean; readonly order?: Direction };
  /** By number, of any length; tags that are none are left out. */
  readonly numerical?: { readonly order?: Direction };
  /** By code units. */
  readonly alphabetical?: { readonly order?: Direction };
  /** By the time of the image, which whoever asks has to know; tags without one are left out. */
  readonly created?: { readonly order?: Direction };
  /** One tag by its name, whatever it stands for: `latest`, `stable`. */
  readonly tag?: string;
  readonly filterTags?: {
    /** An expression of RE2 that has to be found in a tag. */
    readonly pattern?: string;
    /** What a tag is compared by, from the groups of `pattern`: `$1`, `$name`. */
    readonly extract?: string;
    /** A glob over the whole tag, or several of which one has to fit. */
    readonly glob?: string | readonly string[];
    /** Globs, or expressions between slashes, none of which may fit. */
    readonly exclude?: string | readonly string[];
  };
  readonly digestReflectionPolicy?: DigestReflection;
  /** How long ago an image has to have been released: milliseconds, or `3d`, `12h`. Where no time is known an image is taken, and the choice says so. */
  readonly minAge?: number | string;
  /** Platforms that an image has to have, all of them. */
  readonly platform?: string | readonly string[];
  /** What has to be attached to an image. */
  readonly require?: Requirement | readonly Requirement[];
}
