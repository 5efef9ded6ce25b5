/** Chunks on their way to a second reader: each is given when the one before it was taken, so that nothing piles up. */
export class Tee {
  #chunk: Uint8Array | undefined;
  #over = false;
  #wake: () => void = () => {};

  /** Resolves when the second reader has asked for more, or has left. */
  async give(chunk: Uint8Array): Promise<void> {
    if (this.#over) return;
    this.#chunk = chunk;
    this.#wake();
    while (this.#chunk !== undefined && !this.#over) await this.#changed();
  }

  /** There is no more to come. */
  end(): void {
    this.leave();
  }

  /** The second reader takes no more. */
  leave(): void {
    this.#over = true;
    this.#wake();
  }

  /** For the second reader. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunk;
      if (chunk !== undefined) {
        this.#chunk = undefined;
        this.#wake();
        yield chunk;
      } else if (this.#over) return;
      else await this.#changed();
    }
  }

  /** One of the two waits at a time: the other one has something to do. */
  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
