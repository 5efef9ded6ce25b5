import { readSuffix } from "./suffix.ts";

/** A version as it was read from a tag. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** What stands behind the third number: `1710` of `4.0.5.1710`. Not there where three numbers or less were written. */
  readonly further?: readonly number[];
  /** How many numbers were written: `1.2` has two. */
  readonly numbers: number;
  /** `rc.1`; empty for a release. */
  readonly prerelease: string;
  /** Metadata of a build: what stands behind `+`, or behind `_`, since a tag has no plus (but for `_rc1`); a rebuild's `r5`. */
  readonly build: string;
  /** `alpine`, `slim-bookworm`: a suffix that is no pre-release. Empty where versions are read strictly. */
  readonly flavour: string;
}

/** How versions are read. */
export interface ReadVersionOptions {
  /** Three numbers by the grammar of semver.org, with or without a `v`; whatever stands behind a dash is a pre-release. Default: loosely. */
  readonly strict?: boolean;
}

/** The largest lone number that is a version: longer ones are builds, dates and commits without letters. */
const loneDigits = 3;

const identifier = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
const strictly = new RegExp(
  `^v?(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`,
);
const loosely = /^[vV]?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?((?:\.[0-9]+){0,3})(?:_([0-9A-Za-z.]+))?(.*)$/;
/** What comes before a release, as Alpine's packages write it: `3.20.0_rc1`. */
const underscored = /^(?:alpha|beta|pre|rc)[0-9.]*$/i;
/** What comes after a release without a dash: `2.5.0p13`, and `1.2.0.post1` as Python writes it. */
const patched = /^(?:p|\.post)[0-9]+(?=[-_]|$)/i;
/** A pre-release without a dash, as Python writes it: `3.14.0rc2`. */
const glued = /^\.?(?:alpha|beta|rc|cr|preview|pre|dev|a|b|c|m)\.?[0-9]+(?=[-._]|$)/i;

/**
 * Reads the version in a tag: `1.2.3`, `v1.2-rc.1`, `2024.05.01`, `3.14.0rc2-slim`, `4.0.5.1710`. Lone numbers of four digits and more are builds,
 * dates or commits, and no versions.
 * @example readVersion("7.0.15-alpine")?.flavour // "alpine"
 */
export const readVersion = (text: string, { strict = false }: ReadVersionOptions = {}): Version | undefined => {
  if (strict) {
    const [, major, minor, patch, prerelease = "", build = ""] = strictly.exec(text) ?? [];
    return numbered([major, minor, patch], { prerelease, build, flavour: "" });
  }
  const plus = text.indexOf("+");
  const [, major = "", minor, patch, more = "", behind = "", rest = ""] =
    loosely.exec(plus < 0 ? text : text.slice(0, plus)) ?? [];
  const written = [major, minor, patch, ...more.split(".").slice(1)];
  const [under, early] = underscored.test(behind) ? ["", behind] : [behind, ""];
  if (minor === undefined && (major === "" || major.length > loneDigits)) return undefined;
  // Most tags end here.
  if (rest === "" && plus < 0 && early === "") return numbered(written, { ...nothing, build: under });
  const isGlued = minor !== undefined && behind === "";
  const python = isGlued ? (glued.exec(rest)?.[0] ?? "") : "";
  const patchLevel = isGlued ? (patched.exec(rest)?.[0] ?? "") : "";
  const tail = rest.slice(python.length + patchLevel.length);
  const [, after = "", below = ""] = /^(?:-([0-9A-Za-z][0-9A-Za-z.-]*))?(?:_([0-9A-Za-z.-]+))?$/.exec(tail) ?? [];
  const read = after.length + below.length + (after === "" ? 0 : 1) + (below === "" ? 0 : 1);
  if (read !== tail.length) return undefined;
  const suffix = readSuffix([early, withoutDot(python), after].filter((part) => part !== "").join("-"));
  const metadata = plus < 0 ? "" : text.slice(plus + 1);
  const build = [withoutDot(patchLevel), under, below, metadata, suffix.build].filter((part) => part !== "");
  return numbered(written, { ...suffix, build: build.join(".") });
};

const withoutDot = (text: string): string => text.replace(/^\./, "");

const nothing = { prerelease: "", flavour: "" };

const numbered = (
  written: readonly (string | undefined)[],
  rest: Pick<Version, "prerelease" | "build" | "flavour">,
): Version | undefined => {
  const [first, second, third, ...more] = written;
  const [major, minor, patch] = [Number(first ?? Number.NaN), Number(second ?? 0), Number(third ?? 0)];
  const further = more.map(Number);
  const numbers = third !== undefined ? 3 + further.length : second !== undefined ? 2 : 1;
  // Beyond that numbers are not told apart: a time stamp of twenty digits.
  if (![major, minor, patch, ...further].every(Number.isSafeInteger)) return undefined;
  return { major, minor, patch, ...(further.length === 0 ? {} : { further }), numbers, ...rest };
};

/** Whether a text that is no version looks like a build, a date or a commit, for those who tell why it is left out. */
export const isBuildName = (text: string): boolean =>
  /^[vV]?[0-9]{4,}$/.test(text) || /^(?:[a-z]+-)?g?(?=[a-f]*\d)[0-9a-f]{7,64}$/.test(text);
