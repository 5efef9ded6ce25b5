/**
 * The items of pages, one by one. What lies in memory already is handed out without a turn through a generator: a list of
 * a hundred thousand names would spend more time there than on the network.
 */
export const each = <T>(pages: AsyncGenerator<readonly T[]>): AsyncIterableIterator<T> => {
  let page: readonly T[] = [];
  let at = 0;
  const turn = async (): Promise<IteratorResult<T>> => {
    while (at >= page.length) {
      const next = await pages.next();
      if (next.done === true) return { done: true, value: undefined };
      page = next.value;
      at = 0;
    }
    return { done: false, value: page[at++] as T };
  };
  return {
    next: () => (at < page.length ? Promise.resolve({ done: false, value: page[at++] as T }) : turn()),
    return: async () => {
      page = [];
      await pages.return(undefined);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
};
