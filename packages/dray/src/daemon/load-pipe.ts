import { Writable } from "node:stream";
import { type Content, transferable, transfersChunks } from "../content/index.ts";

/** Bytes from whoever writes to whoever sends: one chunk at a time, none is kept. */
export class LoadPipe {
  #chunk: Uint8Array | undefined;
  #taken: ((error?: Error | null) => void) | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  /** What is written here is what `content` gives. */
  readonly input: Writable = new Writable({
    highWaterMark: 1,
    write: (chunk: Uint8Array, _encoding, taken) => {
      if (this.#failure !== undefined) return taken(this.#failure.error as Error);
      this.#chunk = chunk;
      this.#taken = taken;
      this.#wake();
    },
  });

  /** There is no more to come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** What was to come never will: whoever reads gets this error, and so does whoever writes. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.(error as Error);
    this.#wake();
  }

  /** What comes through, once. */
  readonly content: Content = { open: transfersChunks<Content["open"]>(() => this.#chunks()) };

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const chunk = this.#chunk;
      if (chunk !== undefined) {
        this.#chunk = undefined;
        // Whoever wrote it may use its memory again as soon as it is taken, and whoever sends it is not done with it then.
        yield transferable(new Uint8Array(chunk));
        const taken = this.#taken;
        this.#taken = undefined;
        taken?.();
      } else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
