import { DrayError } from "dray/errors";

/** Bytes in memory, or made when they are asked for. */
export interface MemoryContent {
  readonly size: number;
  /** Fills `into` from `position` on; tells how many bytes there were, 0 at the end. */
  read(into: Uint8Array, position: number): number;
}

export const bytesInMemory = (bytes: Uint8Array): MemoryContent => ({
  size: bytes.byteLength,
  read: (into, position) => {
    const part = bytes.subarray(position, position + into.byteLength);
    into.set(part);
    return part.byteLength;
  },
});

export const wholeOf = (content: MemoryContent): Uint8Array => {
  const bytes = new Uint8Array(content.size);
  for (let at = 0; at < bytes.byteLength; ) {
    const read = content.read(bytes.subarray(at), at);
    if (read === 0) throw new DrayError("DISK", `content of ${content.size} bytes ended after ${at}`);
    at += read;
  }
  return bytes;
};

/** Content that grows at its end. */
export interface GrowingContent extends MemoryContent {
  write(bytes: Uint8Array, position: number): void;
  truncate(length: number): void;
}

const blockSize = 128 * 1024;

/** Blocks of one size, so that what grows to much is never copied; the first one begins small. */
export class Blocks implements GrowingContent {
  readonly #blocks: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, position: number): number {
    const end = Math.min(this.#size, position + into.byteLength);
    for (let at = position; at < end; ) {
      const within = at % blockSize;
      const part = this.#blocks[(at - within) / blockSize]?.subarray(within, within + end - at);
      if (part === undefined) break;
      into.set(part, at - position);
      at += part.byteLength;
    }
    return Math.max(0, end - position);
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.byteLength;
    this.#reserve(end);
    for (let at = position; at < end; ) {
      const within = at % blockSize;
      const part = bytes.subarray(at - position, at - position + blockSize - within);
      this.#blocks[(at - within) / blockSize]?.set(part, within);
      at += part.byteLength;
    }
    this.#size = Math.max(this.#size, end);
  }

  truncate(length: number): void {
    this.#size = length;
    this.#blocks.length = Math.ceil(length / blockSize);
  }

  #reserve(end: number): void {
    const [first] = this.#blocks;
    if (first === undefined || first.byteLength < Math.min(end, blockSize)) {
      const larger = new Uint8Array(Math.min(blockSize, Math.max(end, 2 * (first?.byteLength ?? 0))));
      if (first !== undefined) larger.set(first);
      this.#blocks[0] = larger;
    }
    while (this.#blocks.length * blockSize < end) this.#blocks.push(new Uint8Array(blockSize));
  }
}

/** Keeps nothing but how much there was: for measurements, where the bytes would fill the memory. */
export class Sunk implements GrowingContent {
  size = 0;

  read(): number {
    throw new DrayError("UNSUPPORTED", "these bytes were received into a store that keeps only sizes and digests");
  }

  write(bytes: Uint8Array, position: number): void {
    this.size = Math.max(this.size, position + bytes.byteLength);
  }

  truncate(length: number): void {
    this.size = length;
  }
}
