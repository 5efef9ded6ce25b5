import type { Compare } from "./order.ts";

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
