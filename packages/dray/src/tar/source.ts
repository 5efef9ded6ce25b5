/** Bytes in order, as the reader of headers asks for them. */
export interface ByteSource {
  /** Bytes passed so far. */
  readonly position: number;
  /** The next `length` bytes; fewer only where the source ends. */
  read(length: number): Promise<Uint8Array>;
  /** Passes over `length` bytes; resolves to how many there were. */
  skip(length: number): Promise<number>;
}

/** Reads bytes of a file: fewer than `length` only at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** A stream that is read by count. */
export class StreamSource implements ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  get position(): number {
    return this.#position;
  }

  /** Up to `most` bytes, as they come; none where the stream ends. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#rest.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done) return this.#rest;
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.byteLength);
    this.#position += part.byteLength;
    return part;
  }

  async read(length: number): Promise<Uint8Array> {
    const first = await this.some(length);
    if (first.byteLength === length) return first;
    const all = new Uint8Array(length);
    let filled = 0;
    for (let part = first; part.byteLength > 0; part = await this.some(length - filled)) {
      all.set(part, filled);
      filled += part.byteLength;
      if (filled === length) break;
    }
    return all.subarray(0, filled);
  }

  async skip(length: number): Promise<number> {
    let left = length;
    const before = this.#position;
    while (left > 0) {
      const { byteLength } = await this.some(left);
      if (byteLength === 0) break;
      left -= byteLength;
    }
    return this.#position - before;
  }

  /** Lets go of the stream. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** Headers of small entries lie close together: one read brings several. */
const window = 16 * 1024;

/** A file that is read here and there: what is skipped is never read. */
export class FileSource implements ByteSource {
  readonly #readAt: ReadAt;
  readonly #size: number;
  #position = 0;
  #held: Uint8Array = new Uint8Array(0);
  #heldAt = 0;

  constructor(readAt: ReadAt, size: number) {
    this.#readAt = readAt;
    this.#size = size;
  }

  get position(): number {
    return this.#position;
  }

  async read(length: number): Promise<Uint8Array> {
    const from = this.#position - this.#heldAt;
    if (from < 0 || from + length > this.#held.byteLength) {
      this.#held = await this.#readAt(this.#position, Math.min(Math.max(length, window), this.#size - this.#position));
      this.#heldAt = this.#position;
    }
    const at = this.#position - this.#heldAt;
    const part = this.#held.subarray(at, at + length);
    this.#position += part.byteLength;
    return part;
  }

  async skip(length: number): Promise<number> {
    const there = Math.min(length, this.#size - this.#position);
    this.#position += there;
    return there;
  }
}
