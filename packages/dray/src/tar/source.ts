/** Bytes in order, as the reader of headers asks for them. */
export interface ByteSource {
  /** Bytes passed so far. */
  readonly position: number;
  /** The next `length` bytes, if they are there already: waiting takes longer than most headers. */
  ready(length: number): Uint8Array | undefined;
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
  readonly #release: ((chunk: Uint8Array) => void) | undefined;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes of the chunk that were given. */
  #given = 0;
  #position = 0;

  /** `release` gets each chunk that was passed: whoever got a part of it with `some` has asked for the next one by then. */
  constructor(chunks: AsyncIterable<Uint8Array>, release?: (chunk: Uint8Array) => void) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#release = release;
  }

  get position(): number {
    return this.#position;
  }

  ready(length: number): Uint8Array | undefined {
    return this.#left >= length ? this.#kept(this.#take(length)) : undefined;
  }

  /** Up to `most` bytes, as they come; none where the stream ends. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#left === 0) {
      this.#release?.(this.#chunk);
      // What was given back has no bytes any more.
      this.#chunk = new Uint8Array(0);
      this.#given = 0;
      const next = await this.#chunks.next();
      if (next.done) return this.#chunk;
      this.#chunk = next.value;
    }
    return this.#take(Math.min(most, this.#left));
  }

  /** What may be looked at later, too. */
  #kept(part: Uint8Array): Uint8Array {
    return this.#release === undefined ? part : new Uint8Array(part);
  }

  get #left(): number {
    return this.#chunk.byteLength - this.#given;
  }

  #take(length: number): Uint8Array {
    const part = this.#chunk.subarray(this.#given, this.#given + length);
    this.#given += length;
    this.#position += length;
    return part;
  }

  async read(length: number): Promise<Uint8Array> {
    const first = await this.some(length);
    if (first.byteLength === length) return this.#kept(first);
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
    const before = this.#position;
    const there = Math.min(length, this.#left);
    this.#given += there;
    this.#position += there;
    let left = length - there;
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

  ready(length: number): Uint8Array | undefined {
    const from = this.#position - this.#heldAt;
    return from < 0 || from + length > this.#held.byteLength ? undefined : this.#take(length);
  }

  async read(length: number): Promise<Uint8Array> {
    const ready = this.ready(length);
    if (ready !== undefined) return ready;
    this.#held = await this.#readAt(this.#position, Math.min(Math.max(length, window), this.#size - this.#position));
    this.#heldAt = this.#position;
    return this.#take(length);
  }

  #take(length: number): Uint8Array {
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
