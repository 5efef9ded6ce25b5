/** Work on the same thing in this process, one after the other. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Whoever comes with a key waits for all who came with it before, however those ended. */
export const turns = (): Turns => {
  const last = new Map<string, Promise<void>>();
  return async (key, work) => {
    const before = last.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    last.set(key, promise);
    await before;
    try {
      return await work();
    } finally {
      if (last.get(key) === promise) last.delete(key);
      resolve();
    }
  };
};
