import { DrayError } from "../errors.ts";

/** The bytes of one frame. */
export interface ZstdFrame {
  /** Holds something for somebody else, such as the table of contents of zstd:chunked; a decompressor passes over it. */
  readonly skippable: boolean;
  /** To be read to the end before the next frame is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Takes a zstd stream apart into its frames, without decompressing. Layers often have many (zstd:chunked, pzstd), and one
 * decompressor per frame is the only way that works on every runtime: Node's stops after the first frame of a chunk, and
 * Bun's does not tell when a frame ends early.
 * @throws DrayError `MANIFEST_INVALID` for bytes that are no frame, and for a frame that ends early
 * @see RFC 8878, 3.1
 */
export async function* zstdFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ZstdFrame> {
  const source = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  const refill = async (): Promise<boolean> => {
    while (rest.byteLength === 0) {
      const next = await source.next();
      if (next.done) return false;
      rest = next.value;
    }
    return true;
  };
  const body = async function* (frame: FrameWalk): AsyncGenerator<Uint8Array> {
    while (!frame.ended) {
      if (!(await refill())) throw damaged("ends early");
      const length = frame.pass(rest);
      const part = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (part.byteLength > 0) yield part;
    }
  };
  try {
    while (await refill()) {
      const frame = new FrameWalk();
      const skippable = ((rest[0] as number) & 0xf0) === 0x50;
      yield { skippable, chunks: body(frame) };
      if (!frame.ended) throw new DrayError("USAGE", "a zstd frame was not read to its end");
    }
  } finally {
    await source.return?.();
  }
}

const damaged = (how: string): DrayError => new DrayError("MANIFEST_INVALID", `the zstd data is damaged: it ${how}`);

/** Finds the end of one frame, from header to header: each says how many bytes come before the next. */
class FrameWalk {
  ended = false;
  #read: (header: Uint8Array) => void;
  #header: Uint8Array;
  #filled = 0;
  #skip = 0;
  #checksum = false;

  constructor() {
    this.#header = new Uint8Array(4);
    this.#read = (header) => this.#magic(header);
  }

  /** Takes bytes in; tells how many of them belong to this frame. */
  pass(chunk: Uint8Array): number {
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#skip, chunk.byteLength - at);
      this.#skip -= skipped;
      at += skipped;
      if (this.#skip > 0 || (this.ended = this.#header.byteLength === 0)) return at;
      const part = chunk.subarray(at, at + this.#header.byteLength - this.#filled);
      this.#header.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled < this.#header.byteLength) return at;
      this.#read(this.#header);
    }
  }

  /** After `skip` bytes comes a header of `length` bytes; 0: comes nothing. */
  #expect(skip: number, length: number, read: (header: Uint8Array) => void): void {
    this.#skip = skip;
    this.#header = new Uint8Array(length);
    this.#filled = 0;
    this.#read = read;
  }

  #magic(header: Uint8Array): void {
    const magic = new DataView(header.buffer).getUint32(0, true);
    if (magic === 0xfd2fb528) this.#expect(0, 1, ([flags = 0]) => this.#frameHeader(flags));
    else if (magic >>> 4 === 0x184d2a5)
      this.#expect(0, 4, (size) => this.#expect(new DataView(size.buffer).getUint32(0, true), 0, () => {}));
    else throw damaged("has something else where a frame should begin");
  }

  #frameHeader(flags: number): void {
    const single = (flags & 0x20) !== 0;
    const dictionary = [0, 1, 2, 4][flags & 3] as number;
    const contentSize = [single ? 1 : 0, 2, 4, 8][flags >> 6] as number;
    this.#checksum = (flags & 4) !== 0;
    this.#expect((single ? 0 : 1) + dictionary + contentSize, 3, (header) => this.#block(header));
  }

  #block([low = 0, middle = 0, high = 0]: Uint8Array): void {
    const word = low | (middle << 8) | (high << 16);
    const type = (word >> 1) & 3;
    if (type === 3) throw damaged("has a block of an unknown kind");
    const size = type === 1 ? 1 : word >> 3;
    if ((word & 1) === 0) this.#expect(size, 3, (header) => this.#block(header));
    else this.#expect(size + (this.#checksum ? 4 : 0), 0, () => {});
  }
}
