import { type Content, sizeMismatch, transfersAs } from "../content/index.ts";
import { aborted, DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import type { Descriptor } from "../oci/index.ts";

/**
 * Seekable reading of content that is sent in ranges, one after the other, each of which may have to be sent again. It is read once from
 * beginning to end as long as nothing fails: to open it again for every range would be a new request where it comes from
 * a registry. The last bytes are held back until the content has ended well, so that a source that finds its own bytes
 * wrong can stop the upload before it is whole.
 */
export class ReplayableContent {
  readonly #content: Content;
  readonly #whole: Descriptor | undefined;
  readonly #signal: AbortSignal | undefined;
  #reading: Reading | undefined;
  /** Whoever began to read last: one before it, whose connection has gone, may still wait for the bytes that it is to have. */
  #reader = 0;
  #failure: { readonly error: unknown } | undefined;
  #furthest = 0;

  /** @param whole what the content must turn out to be; left out where nobody knows yet. */
  constructor(content: Content, whole: Descriptor | undefined, signal: AbortSignal | undefined) {
    this.#content = content;
    this.#whole = whole;
    this.#signal = signal;
  }

  /** One past the last byte that was ever handed out. */
  get furthest(): number {
    return this.#furthest;
  }

  /** One past the last byte of the present reading. */
  get at(): number {
    return this.#reading?.at ?? 0;
  }

  /** Throws what went wrong with the content itself, if anything did: no other attempt to send it will help. */
  throwIfBroken(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The bytes from `start` up to `end`, or up to wherever the content ends. */
  range(start: number, end: number = Number.POSITIVE_INFINITY): Content {
    const stop = Math.min(end, this.#whole?.size ?? end);
    return {
      size: this.#whole && stop - start,
      open: transfersAs<Content["open"]>(this.#content, ({ offset = 0 } = {}) => this.#read(start + offset, stop)),
    };
  }

  /** Whether the content ends before the byte at `offset`. Reads ahead as far as that takes. */
  async endsAt(offset: number): Promise<boolean> {
    const reading = await this.#seek(offset);
    return (await this.#ahead(reading)) === undefined;
  }

  /** Lets go of the content. */
  async close(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.close();
  }

  /** Each chunk costs one promise here: gigabytes pass through this loop. */
  async *#read(start: number, stop: number): AsyncGenerator<Uint8Array> {
    const size = this.#whole?.size;
    const reader = ++this.#reader;
    const reading = await this.#seek(start);
    while (reading === this.#reading && reader === this.#reader) {
      const left = stop - reading.at;
      if (left <= 0 && stop !== size) return;
      const ahead = reading.ahead ?? (await this.#ahead(reading));
      if (ahead === undefined || reading !== this.#reading || reader !== this.#reader) return;
      const chunk = ahead.byteLength > left ? ahead.subarray(0, left) : ahead;
      reading.ahead = chunk === ahead ? undefined : ahead.subarray(left);
      reading.at += chunk.byteLength;
      if (reading.at === size) await this.#ahead(reading);
      this.#furthest = Math.max(this.#furthest, reading.at);
      yield chunk;
    }
  }

  async #seek(offset: number): Promise<Reading> {
    if (this.#failure !== undefined) throw final(this.#failure.error);
    if (this.#reading?.at !== offset) {
      await this.close();
      this.#reading = new Reading(this.#content, offset, this.#signal);
    }
    return this.#reading as Reading;
  }

  /** The next bytes, which stay where they are; `undefined` at the end. */
  async #ahead(reading: Reading): Promise<Uint8Array | undefined> {
    try {
      while (reading.ahead === undefined && !reading.ended) {
        throwIfAborted(this.#signal);
        const next = (reading.next ??= reading.iterator.next());
        const { done, value } = await next;
        if (reading.next !== next) continue;
        reading.next = undefined;
        if (done === true) reading.ended = true;
        else if (value.byteLength > 0) reading.ahead = value;
      }
      const [whole, end] = [this.#whole, reading.at + (reading.ahead?.byteLength ?? 0)];
      if (whole !== undefined && end > whole.size) throw sizeMismatch(whole, "more");
      if (whole !== undefined && reading.ahead === undefined && end < whole.size)
        throw sizeMismatch(whole, `only ${end}`);
      return reading.ahead;
    } catch (error) {
      // What a reader meets that was sent away is nobody's failure.
      if (reading !== this.#reading) throw error;
      this.#failure ??= { error };
      throw final(error);
    }
  }
}

/** The same for whoever sends the content: its source has tried again already, and sending again would only take its time. */
const final = (error: unknown): unknown =>
  isDrayError(error) && error.retryable ? new DrayError(error.code, error.message, { cause: error }) : error;

/** One reading of the content, from some byte on. */
class Reading {
  at: number;
  ahead: Uint8Array | undefined;
  /** What was asked for and has not come. Several may wait for it. */
  next: Promise<IteratorResult<Uint8Array>> | undefined;
  ended = false;
  readonly iterator: AsyncIterator<Uint8Array>;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.#stop.abort(aborted(this.#signal as AbortSignal));

  constructor(content: Content, offset: number, signal: AbortSignal | undefined) {
    this.at = offset;
    this.#signal = signal;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener("abort", this.#abort, { once: true });
    this.iterator = content.open({ offset, signal: this.#stop.signal })[Symbol.asyncIterator]();
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#stop.abort();
    // It may be waiting for bytes, which the signal ends with an error that means nothing here.
    await this.iterator.return?.().catch(() => {});
  }
}
