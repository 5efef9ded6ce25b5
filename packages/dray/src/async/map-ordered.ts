/** Ordered concurrent map: works on up to `concurrency` items at the same time and gives the results in the order of the items. */
export async function* mapOrdered<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Should an earlier one fail, nobody waits for this one any more.
    result.catch(() => {});
    begun.push(result);
    if (begun.length >= concurrency) yield await (begun.shift() as Promise<R>);
  }
  for (const result of begun) yield await result;
}
