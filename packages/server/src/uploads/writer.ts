/** What became of a writer that somebody waits for: it is over, bytes came, or nothing came for too long. */
export type Outcome = "over" | "moved" | "silent";

/** Whoever appends to a session now. Others watch it, and cut it off where its connection seems dead. */
export class Writer {
  /** Chunks that came. */
  chunks = 0;
  /** Somebody wants to know an offset before this writer is over. */
  asked = false;
  /** The offset that was asked for. */
  answer: number | undefined;
  /** Resolves when the writer has left the session. */
  readonly over: Promise<void>;
  readonly #leave: () => void;
  #isOver = false;
  #isCut = false;
  /** When it began to wait for its client; milliseconds of a clock that only goes forward. */
  #waitingSince: number | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #reason: ((offset: number) => Error) | undefined;
  readonly #watchers = new Set<() => void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#leave = resolve;
  }

  /** The next chunk; rejects when the writer is cut off, which the chunk may never come after. */
  next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#isCut) return reject(cutOff);
      this.#waitingSince = performance.now();
      this.#tell();
      iterator.next().then((result) => {
        this.#waitingSince = undefined;
        if (result.done !== true) this.chunks++;
        this.#tell();
        resolve(result);
      }, reject);
    });
  }

  /** Why it was cut off, if it was. `offset`: what stays of it. */
  reason(offset: number): Error | undefined {
    return this.#reason?.(offset);
  }

  /** Cuts it off, and waits until it has left: what came is written by then. */
  async stop(reason: (offset: number) => Error): Promise<void> {
    this.#reason ??= reason;
    this.cut();
    await this.over;
  }

  /** Lets it wait for no more chunks. */
  cut(): void {
    this.#isCut = true;
    this.#reject?.(cutOff);
  }

  leave(): void {
    this.#isOver = true;
    this.#tell();
    this.#leave();
  }

  /** Waits for news. The timer is there only while somebody waits. */
  watch(silence: number): Promise<Outcome> {
    const before = this.chunks;
    const news = (): Outcome | undefined => (this.#isOver ? "over" : this.chunks === before ? undefined : "moved");
    const left = (since: number): number => since + silence - performance.now();
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (outcome: Outcome): void => {
        this.#watchers.delete(look);
        resolve(outcome);
      };
      const look = (): void => {
        clearTimeout(timer);
        const outcome = news();
        if (outcome !== undefined) settle(outcome);
        // Who waits for the disk is not silent.
        else if (this.#waitingSince !== undefined) timer = setTimeout(expire, Math.ceil(left(this.#waitingSince)));
      };
      /** After a time in which this process did nothing the bytes may be there, not read yet: they have their turn first. */
      const expire = (): void => {
        setImmediate(() => {
          if (!this.#watchers.has(look)) return;
          if (this.#waitingSince !== undefined && left(this.#waitingSince) <= 0) settle("silent");
          else look();
        });
      };
      this.#watchers.add(look);
      look();
    });
  }

  #tell(): void {
    for (const look of this.#watchers) look();
  }
}

const cutOff = new Error("nobody waits for more of the upload");
