/** Something that is opened when it is first needed, once, and taken away to be closed. A failure is not remembered. */
export class Lazy<T> {
  #opening: Promise<T> | undefined;

  /** What is open, or else opens it. */
  get(open: () => Promise<T>): Promise<T> {
    if (this.#opening === undefined) {
      const opening = open().catch((error: unknown) => {
        if (this.#opening === opening) this.#opening = undefined;
        throw error;
      });
      this.#opening = opening;
    }
    return this.#opening;
  }

  /** What is open; nothing where it was never asked for. */
  async now(): Promise<T | undefined> {
    return this.#opening;
  }

  /** Takes away what is open; the next `get` opens anew. */
  async take(): Promise<T | undefined> {
    const opening = this.#opening;
    this.#opening = undefined;
    return opening?.catch(() => undefined);
  }
}
