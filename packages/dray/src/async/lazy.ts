/** Lazy value: made when it is first needed, once, and taken away to be closed. A failure is not remembered. */
export class Lazy<T> {
  #making: Promise<T> | undefined;

  /** The value, or else makes it. */
  get(make: () => Promise<T>): Promise<T> {
    if (this.#making === undefined) {
      const making = make().catch((error: unknown) => {
        if (this.#making === making) this.#making = undefined;
        throw error;
      });
      this.#making = making;
    }
    return this.#making;
  }

  /** The value; nothing where it was never asked for. */
  async now(): Promise<T | undefined> {
    return this.#making;
  }

  /** Takes the value away; the next `get` makes another. */
  async take(): Promise<T | undefined> {
    const making = this.#making;
    this.#making = undefined;
    return making?.catch(() => undefined);
  }
}

/** Lazy values by key, each made once and kept. A failure is not remembered. */
export class LazyMap<K, V> {
  readonly #values = new Map<K, Lazy<V>>();

  get(key: K, make: () => Promise<V>): Promise<V> {
    let value = this.#values.get(key);
    if (value === undefined) this.#values.set(key, (value = new Lazy()));
    return value.get(make);
  }
}
