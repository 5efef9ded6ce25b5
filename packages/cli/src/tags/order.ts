import SemVer from "semver/classes/semver.js";

export const tagOrders = ["semver", "natural", "created"] as const;
export type TagOrder = (typeof tagOrders)[number];

/** Compares as `Array.sort` wants it: below zero when `a` comes first. */
export type Compare<T> = (a: T, b: T) => number;

/** A tag with what can be read from it, read once: a sort compares the same tag again and again. */
export interface VersionedTag {
  readonly tag: string;
  readonly version?: SemVer;
  /** How many of the three numbers of a version were written. */
  readonly numbers: number;
}

/**
 * Newest version first, by the rules of semver.org, but comparing `v1.2`, where numbers are missing, as 1.2.0, and right
 * behind the more exact `1.2.0`. What is no version comes last, by `newestNaturally`.
 */
export const newestVersion: Compare<VersionedTag> = (a, b) => {
  if (a.version === undefined || b.version === undefined) {
    if (a.version === b.version) return newestNaturally(a.tag, b.tag);
    return a.version === undefined ? 1 : -1;
  }
  return b.version.compare(a.version) || b.numbers - a.numbers || newestNaturally(a.tag, b.tag);
};

/** Reads the version in a tag: `1.2.3`, `v1.2-rc.1`, `2024.05.01`. */
export const versionedTag = (tag: string): VersionedTag => {
  const match = /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z.-]+))?$/.exec(tag);
  if (!match) return { tag, numbers: 0 };
  const [, major, minor, patch, prerelease] = match;
  const numbers = [major, minor, patch].filter((number) => number !== undefined).length;
  // Tags such as 2024.05.01 have leading zeros; those are numbers all the same.
  const text = [major, minor ?? "0", patch ?? "0"].map(Number).join(".");
  try {
    const version = new SemVer(prerelease === undefined ? text : `${text}-${prerelease}`, { loose: true });
    return { tag, version, numbers };
  } catch {
    // A number or a text beyond what a version may be, such as a time stamp of twenty digits.
    return { tag, numbers: 0 };
  }
};

/** Highest first, with runs of digits compared as numbers: `b10`, `b9`, `a`. Independent of language settings. */
export const newestNaturally: Compare<string> = (a, b) => {
  const [x, y] = [partsOf(b), partsOf(a)];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const order = compareParts(x[i] as string, y[i] as string);
    if (order !== 0) return order;
  }
  return x.length - y.length || compareText(b, a);
};

const partsOf = (tag: string): string[] => tag.match(/[0-9]+|[^0-9]+/g) ?? [];

const compareParts = (a: string, b: string): number => {
  if (!/^[0-9]/.test(a) || !/^[0-9]/.test(b)) return compareText(a, b);
  const [x, y] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  // Numbers of any length: the longer one is larger.
  return x.length - y.length || compareText(x, y);
};

const compareText: Compare<string> = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Created last first; without a time last, and among equals by `newestNaturally`. */
export const newestCreated = (a: CreatedTag, b: CreatedTag): number =>
  (b.created ?? Number.NEGATIVE_INFINITY) - (a.created ?? Number.NEGATIVE_INFINITY) || newestNaturally(a.tag, b.tag);

export interface CreatedTag {
  readonly tag: string;
  /** Milliseconds since 1970; `undefined` where the image does not say. */
  readonly created?: number | undefined;
}

/**
 * The first `limit` of many, sorted, with room for a few times `limit` and not for all of them.
 * Without a limit all are kept.
 */
export const firstOf = async <T>(
  items: AsyncIterable<T>,
  compare: Compare<T>,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<T[]> => {
  let kept: T[] = [];
  for await (const item of items) {
    kept.push(item);
    if (kept.length >= 2 * limit + 1000) kept = kept.sort(compare).slice(0, limit);
  }
  return kept.sort(compare).slice(0, limit);
};
