import { errorIn } from "dray/errors";
import { expression } from "./expression.ts";
import { type Fits, glob } from "./glob.ts";

/** Which tags of a repository somebody wants. */
export interface TagChoice {
  /** Any of these must fit; none means all do. */
  readonly match?: readonly string[];
  /** None of these may fit. */
  readonly exclude?: readonly string[];
  /** Leave out tags that stand for a digest, such as signatures and fallback lists of referrers. */
  readonly omitDigestTags?: boolean;
}

/**
 * Decides which tags are wanted. A pattern is a glob (`1.*`, `*-alpine`, `{edge,latest}`) over the whole tag, or between
 * slashes, which no tag has, an expression (`/^v[0-9]+$/`).
 * @throws DrayError `USAGE` for a pattern that is none.
 * @example (await tagFilter({ match: ["1.*"], exclude: ["*-alpine"] }))("1.2") // true
 */
export const tagFilter = async ({ match = [], exclude = [], omitDigestTags = false }: TagChoice): Promise<Fits> => {
  const [wanted, unwanted] = await Promise.all([match, exclude].map((all) => Promise.all(all.map(patternOf))));
  return (tag) =>
    !(omitDigestTags && isDigestTag(tag)) &&
    (wanted?.length === 0 || wanted?.some((fits) => fits(tag)) === true) &&
    unwanted?.some((fits) => fits(tag)) !== true;
};

const patternOf = async (pattern: string): Promise<Fits> => {
  const between = /^\/(.*)\/$/.exec(pattern)?.[1];
  if (between === undefined) return glob(pattern);
  try {
    return (await expression(between)).test;
  } catch (error) {
    throw errorIn(`pattern ${pattern}`, error);
  }
};

/** Whether a tag stands for a digest: a signature, an attestation, a list of referrers. */
export const isDigestTag = (tag: string): boolean => /^sha(?:256|512)-/.test(tag);
