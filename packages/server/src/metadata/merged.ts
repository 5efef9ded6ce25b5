/**
 * Names of two sorted lists, each once, in order: one in memory, one that is read page by page while the caller works.
 * @param pageAfter at most `limit` names behind a name; fewer end the list
 */
export function* merged(
  sorted: readonly string[],
  pageAfter: (after: string) => readonly string[],
  limit: number,
): Generator<string> {
  let at = 0;
  for (let after = ""; ; ) {
    const names = pageAfter(after);
    for (const name of names) {
      for (let next = sorted[at]; next !== undefined && next < name; next = sorted[++at]) yield next;
      if (sorted[at] === name) at++;
      yield name;
    }
    const last = names.at(-1);
    if (last === undefined || names.length < limit) break;
    after = last;
  }
  for (; at < sorted.length; at++) yield sorted[at] as string;
}
