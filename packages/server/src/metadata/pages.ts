import type { Page } from "./records.ts";

/** What a list is in the order of. */
type Entry = string | { readonly name: string } | { readonly digest: string };

const nameOf = (entry: Entry): string =>
  typeof entry === "string" ? entry : "name" in entry ? entry.name : entry.digest;

/**
 * A list read page by page, each behind the last entry of the one before and none before it is asked for. An empty page
 * is the last: one may have fewer than `limit` entries because they are large.
 */
export function* pages<T extends Entry>(
  limit: number,
  read: (page: Required<Page>) => readonly T[],
  after = "",
): Generator<readonly T[]> {
  for (let from = after; ; ) {
    const page = read({ after: from, limit });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    from = nameOf(last);
  }
}
