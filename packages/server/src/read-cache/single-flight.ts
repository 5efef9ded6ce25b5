/**
 * Loads that are on their way, by key: who asks for the same meanwhile waits for the same load. A write of a key in between makes
 * the load stale: those who wait get it, for they asked before the write was done, but it is not kept and nobody new joins.
 */
export class SingleFlight {
  readonly #running = new Map<string, Promise<unknown>>();

  /** @param keep gets the value, unless the key was written meanwhile */
  async load<T>(key: string, read: () => Promise<T>, keep: (value: T) => void): Promise<T> {
    const running = this.#running.get(key);
    if (running !== undefined) return running as Promise<T>;
    const load = read();
    this.#running.set(key, load);
    try {
      const value = await load;
      if (this.#running.get(key) === load) keep(value);
      return value;
    } finally {
      if (this.#running.get(key) === load) this.#running.delete(key);
    }
  }

  /** What is on its way for this key is stale. */
  forget(key: string): void {
    this.#running.delete(key);
  }
}
