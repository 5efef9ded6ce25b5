/** Compares as `Array.sort` wants it: below zero when `a` comes first. */
export type Compare<T> = (a: T, b: T) => number;

/**
 * Highest first, with runs of digits compared as numbers of any length: `b10`, `b9`, `a`. Independent of language settings.
 * @example ["rc9", "rc10"].sort(newestNaturally) // ["rc10", "rc9"]
 */
export const newestNaturally: Compare<string> = (a, b) => {
  if (a === b) return 0;
  const [x, y] = [partsOf(b), partsOf(a)];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const order = compareParts(x[i] as string, y[i] as string);
    if (order !== 0) return order;
  }
  return x.length - y.length || compareText(b, a);
};

/** By code units: `a` after `B`, `10` before `9`. */
export const compareText: Compare<string> = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Two runs of digits as numbers, however long they are. */
export const compareDigits: Compare<string> = (a, b) => {
  const [x, y] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  // The longer one is larger.
  return x.length - y.length || compareText(x, y);
};

const partsOf = (tag: string): string[] => tag.match(/[0-9]+|[^0-9]+/g) ?? [];

const compareParts: Compare<string> = (a, b) =>
  /^[0-9]/.test(a) && /^[0-9]/.test(b) ? compareDigits(a, b) : compareText(a, b);

/**
 * The first `limit` of many, sorted, with room for a few times `limit` and not for all of them.
 * Without a limit all are kept.
 * @example await firstOf(repository.tags(), newestNaturally, 10)
 */
export const firstOf = async <T>(
  items: AsyncIterable<T> | Iterable<T>,
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
