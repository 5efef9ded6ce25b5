import type { Place } from "../orders/index.ts";

/** Why a tag is left out by its name. */
export interface LeftOut {
  readonly code:
    | "no-tag"
    | "digest-tag"
    | "latest"
    | "other-tag"
    | "filtered"
    | "excluded"
    | "build"
    | "not-version"
    | "not-calver"
    | "not-number"
    | "flavour"
    | "prerelease"
    | "range"
    | "not-newer"
    | "other-precision";
  /** What stands behind "the tag": `is outside of ^1.2`. */
  readonly text: string;
  /** Where it would stand, as far as it could be read: for those who look for what is nearest. */
  readonly place?: Place;
}
