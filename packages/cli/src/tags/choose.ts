import { DrayError } from "dray/errors";
import picomatch from "picomatch";

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
 * slashes, which no tag has, a regular expression (`/^v[0-9]+$/`).
 * @throws DrayError `USAGE` for a pattern that is none.
 */
export const tagFilter = ({
  match = [],
  exclude = [],
  omitDigestTags = false,
}: TagChoice): ((tag: string) => boolean) => {
  const wanted = match.map(patternOf);
  const unwanted = exclude.map(patternOf);
  return (tag) =>
    !(omitDigestTags && isDigestTag(tag)) &&
    (wanted.length === 0 || wanted.some((fits) => fits(tag))) &&
    !unwanted.some((fits) => fits(tag));
};

const patternOf = (pattern: string): ((tag: string) => boolean) => {
  const expression = /^\/(.*)\/$/.exec(pattern);
  if (expression === null) return picomatch(pattern, { dot: true, nonegate: true });
  try {
    const regexp = new RegExp(expression[1] as string);
    return (tag) => regexp.test(tag);
  } catch (error) {
    throw new DrayError(
      "USAGE",
      `pattern ${pattern}: ${error instanceof Error ? error.message : "is no regular expression"}`,
    );
  }
};

const isDigestTag = (tag: string): boolean => tag.startsWith("sha256-") || tag.startsWith("sha512-");
