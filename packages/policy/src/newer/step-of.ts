import { readVersion } from "../version/index.ts";

/** A tag, and what it stands for. */
export interface Pinned {
  readonly tag: string;
  readonly digest?: string | undefined;
}

/** How far it is from one image to another: `digest` where the tag is the same and names something else, `other` where tags are no versions. */
export type Step = "major" | "minor" | "patch" | "digest" | "other";

/**
 * The kind of step between two images, or `undefined` where there is none: what has the same digest is the same image, whatever its tags are.
 * @example stepOf({ tag: "7.0.14" }, { tag: "7.1.0" }) // "minor"
 */
export const stepOf = (from: Pinned, to: Pinned): Step | undefined => {
  if (from.digest !== undefined && from.digest === to.digest) return undefined;
  if (from.tag === to.tag) return from.digest === undefined || to.digest === undefined ? undefined : "digest";
  const [a, b] = [readVersion(from.tag), readVersion(to.tag)];
  if (a === undefined || b === undefined) return "other";
  if (a.major !== b.major) return "major";
  if (a.minor !== b.minor) return "minor";
  return "patch";
};
