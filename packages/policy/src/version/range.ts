import { DrayError } from "dray/errors";
import type { Comparator } from "semver";
import { newestRelease } from "./compare-versions.ts";
import type { Version } from "./read-version.ts";

/** How a range is read. */
export interface ReadRangeOptions {
  /** Pre-releases are in every range. Default: where one is named (`>=1.0.0-0`). */
  readonly prerelease?: boolean;
}

/** Whether a version is in a range. */
export type Range = (version: Version) => boolean;

/**
 * Reads a range as npm and Flux write it: `^1.2`, `>=1.2 <2`, `>=1.2, <2`, `1.x || 3.x`, `1.2 - 1.4`, `!=1.3.1`. Pre-releases are
 * in an alternative that names one, as in Flux (not only those of the same release, as in npm), and are compared by `newestRelease`.
 * @throws DrayError `USAGE` for text that is no range
 */
export const readRange = async (text: string, options: ReadRangeOptions = {}): Promise<Range> => {
  const { default: NpmRange } = await import("semver/classes/range.js");
  const read = (token: string): readonly (readonly Comparator[])[] => {
    try {
      return new NpmRange(token.replace(/^!=/, ""), { loose: true, includePrerelease: true }).set;
    } catch {
      const why = `"${token}" is no version with < <= > >= = != ~ or ^ before it; expected a range such as ${likely(token)}`;
      throw new DrayError("USAGE", `semver range "${text}": ${why}`);
    }
  };
  const alternatives = text.split("||").map((alternative): readonly Range[] => {
    const tokens = tokensOf(alternative);
    const holds = tokens.map((token) => comparator(read(token), token.startsWith("!=")));
    const isNamed = options.prerelease === true || tokens.some((token) => /[0-9x*]-[0-9A-Za-z]/.test(token));
    return isNamed ? holds : [({ prerelease }) => prerelease === "", ...holds];
  });
  return (version) => alternatives.some((comparators) => comparators.every((holds) => holds(version)));
};

const comparator = (set: readonly (readonly Comparator[])[], isNot: boolean): Range => {
  const tests = set.map((all) => all.map(testOf));
  return (version) => tests.some((all) => all.every((holds) => holds(version))) !== isNot;
};

const testOf = ({ operator, semver }: Comparator): Range => {
  // npm's comparator for any version has no version.
  if (typeof semver.major !== "number") return () => true;
  const bound = {
    ...zero,
    major: semver.major,
    minor: semver.minor,
    patch: semver.patch,
    prerelease: semver.prerelease.join("."),
  };
  return (version) => {
    const order = -newestRelease(version, bound);
    if (operator === ">=") return order >= 0;
    if (operator === "<=") return order <= 0;
    if (operator === ">") return order > 0;
    return operator === "<" ? order < 0 : order === 0;
  };
};

const zero: Version = { major: 0, minor: 0, patch: 0, numbers: 3, prerelease: "", build: "", flavour: "" };

/** Comparators, each with its operator; `1.2 - 1.4` is one. */
const tokensOf = (alternative: string): string[] => {
  const text = alternative
    .replaceAll(",", " ")
    .replaceAll("=>", ">=")
    .replaceAll("=<", "<=")
    .replace(/([<>=~^!]+)\s+/g, "$1");
  const tokens = text.match(/\S+\s+-\s+\S+|\S+/g) ?? [];
  return tokens.length === 0 ? ["*"] : tokens;
};

/** What may have been meant: the first version in it, or an example. */
const likely = (token: string): string => {
  const version = /[0-9]+(?:\.[0-9]+){0,2}/.exec(token)?.[0];
  return version === undefined ? '"^1.2" or ">=1.2 <2"' : `"^${version}"`;
};
