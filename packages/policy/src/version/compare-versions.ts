import { type Compare, compareDigits, newestNaturally } from "../natural.ts";
import { readVersion, type Version } from "./read-version.ts";

/** What semver.org compares: numbers, however many there are, then what comes before the release. Highest first. */
export const newestRelease: Compare<Version> = (a, b) =>
  b.major - a.major ||
  b.minor - a.minor ||
  b.patch - a.patch ||
  newestFurther(a.further, b.further) ||
  newestPrerelease(a.prerelease, b.prerelease);

/** Numbers behind the third; one that is not written counts as 0. */
const newestFurther: Compare<Version["further"]> = (a = [], b = []) => {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = (b[i] ?? 0) - (a[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
};

/**
 * A release before its pre-releases; those by identifiers between dots, as semver.org says, but for digits in the midst of an identifier, which
 * are numbers as well: `rc10` is newer than `rc9`.
 */
const newestPrerelease: Compare<string> = (a, b) => {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? -1 : 1;
  const [x, y] = [a.split("."), b.split(".")];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const order = newestIdentifier(x[i] as string, y[i] as string);
    if (order !== 0) return order;
  }
  return y.length - x.length;
};

const isNumber = (text: string): boolean => /^[0-9]+$/.test(text);

/** Numbers are below words. */
const newestIdentifier: Compare<string> = (a, b) => {
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? 1 : -1;
  return isNumber(a) ? compareDigits(b, a) : newestNaturally(a, b);
};

/** A tag with what can be read from it, read once: a sort compares the same tag again and again. */
export interface VersionedTag {
  readonly tag: string;
  readonly version?: Version;
}

/** Reads the version in a tag, loosely. */
export const versionedTag = (tag: string): VersionedTag => {
  const version = readVersion(tag);
  return version === undefined ? { tag } : { tag, version };
};

/**
 * Versions that are one by semver.org in a stable order: the more exact first (`1.2.0` before `1.2`), the later build, what has no flavour. Two that are
 * read alike, as `1.2.0` and `v1.2.0`, are equal here.
 */
export const newestOfVersions: Compare<Version> = (a, b) =>
  newestRelease(a, b) ||
  b.numbers - a.numbers ||
  newestNaturally(a.build, b.build) ||
  (a.flavour === "" || b.flavour === "" ? a.flavour.length - b.flavour.length : newestNaturally(a.flavour, b.flavour));

/**
 * Newest version first, by the rules of semver.org, but comparing `v1.2`, where numbers are missing, as 1.2.0, and right
 * behind the more exact `1.2.0`. What is no version comes last, by `newestNaturally`.
 * @example tags.map(versionedTag).sort(newestVersion)
 */
export const newestVersion: Compare<VersionedTag> = (a, b) => {
  if (a.version === undefined || b.version === undefined) {
    if (a.version === b.version) return newestNaturally(a.tag, b.tag);
    return a.version === undefined ? 1 : -1;
  }
  return newestOfVersions(a.version, b.version) || newestNaturally(a.tag, b.tag);
};
