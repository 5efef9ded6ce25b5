import type { Writable } from "node:stream";
import { aborted, DrayError, isDrayError, throwIfAborted } from "dray/errors";
import { diskError } from "dray/internal/files";

/** Text is gathered up to this many characters, so that a hundred thousand lines are not as many system calls. */
const gathered = 16 * 1024;
/** Milliseconds that a reader gets for the end of a document after an interruption. */
const lastMoment = 250;

/** Whoever read our output has gone: `dray ls … | head -1`. Nothing to say about it, and nothing left to do. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** Results on their way to standard output: waits while the reader is slow, ends when the reader is gone. */
export class Output {
  readonly #stream: Writable;
  readonly #signal: AbortSignal | undefined;
  #text = "";
  #failure: Error | undefined;
  readonly #onError = (error: Error): void => {
    this.#failure ??= error;
  };

  /** `signal`: ends the waiting for a reader that takes nothing. */
  constructor(stream: Writable, signal?: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    stream.on("error", this.#onError);
  }

  /** One line. Await what it returns, where it returns something. */
  line(text: string): Promise<void> | undefined {
    return this.text(`${text}\n`);
  }

  /** Text as it is, without a newline of our own. */
  text(text: string): Promise<void> | undefined {
    this.#text += text;
    return this.#text.length >= gathered ? this.flush() : undefined;
  }

  /** Bytes as they are. */
  async bytes(chunk: Uint8Array): Promise<void> {
    await this.flush();
    await this.#write(chunk);
  }

  /** Everything so far is with the reader. */
  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text !== "") await this.#write(text);
  }

  /** The end of what was begun, also where its reader was to be waited for no longer: it gets a moment then. Says nothing of what goes wrong. */
  async end(text: string): Promise<void> {
    const rest = this.#text + text;
    this.#text = "";
    const signal = this.#signal?.aborted === true ? AbortSignal.timeout(lastMoment) : this.#signal;
    await this.#write(rest, signal).catch(() => {});
  }

  /** Flushes and lets go of the stream, which stays open. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      // A stream may tell of the write that failed once more, after its callback.
      if (this.#failure === undefined) this.#stream.off("error", this.#onError);
    }
  }

  /** Resolves when the stream has taken the chunk, not only queued it: an exit right after loses nothing. */
  async #write(chunk: string | Uint8Array, signal = this.#signal): Promise<void> {
    this.#throwIfGone();
    throwIfAborted(signal);
    await new Promise<void>((resolve, reject) => {
      // A stream whose reader has gone may call back with an error, emit one, or only close.
      const closed = (): void => settle(new OutputClosed("standard output was closed"));
      const left = (): void => settle(aborted(signal as AbortSignal));
      const settle = (error?: Error | null): void => {
        this.#stream.off("close", closed);
        this.#stream.off("error", settle);
        signal?.removeEventListener("abort", left);
        if (error) reject(error);
        else resolve();
      };
      signal?.addEventListener("abort", left, { once: true });
      this.#stream.once("close", closed);
      this.#stream.once("error", settle);
      this.#stream.write(chunk, settle);
    }).catch((error: Error) => {
      this.#failure ??= error;
    });
    this.#throwIfGone();
  }

  #throwIfGone(): void {
    if (this.#failure === undefined) return;
    const { code, message } = this.#failure as NodeJS.ErrnoException;
    if (this.#failure instanceof OutputClosed || this.#failure instanceof DrayError) throw this.#failure;
    if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED" || code === "ERR_STREAM_WRITE_AFTER_END")
      throw new OutputClosed("standard output was closed", { cause: this.#failure });
    const known = diskError(this.#failure, "write to", "standard output");
    throw isDrayError(known)
      ? known
      : new DrayError("DISK", `cannot write to standard output: ${message}`, { cause: this.#failure });
  }
}
