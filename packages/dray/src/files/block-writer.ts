import { blockSize, giveBlock, takeBlock } from "../hash/index.ts";
import type { OpenFile } from "./file-system.ts";

/**
 * Bytes handed to the kernel at once. For more, file systems with large folios (ext4 since Linux 6.16, xfs) take pages in one piece
 * from memory that was not used lately; in a virtual machine that is memory which the host still has to find. Writing 512 MiB
 * took 0.5 to 1.2 s of processor time in pieces of 1 MiB, and 0.2 s in these.
 */
export const largestWrite: number = 128 * 1024;

/** Writes chunks one after the other into a part of a file. */
export interface BlockWriter {
  /** Takes a chunk, which stays the caller's own. Resolves when there is room for more. @throws what the file system throws */
  write(chunk: Uint8Array): Promise<void>;
  /** Writes what is still held and waits for it. Call it once, also after an error elsewhere: what arrived is worth keeping. */
  end(): Promise<void>;
}

/**
 * Gathers chunks into blocks of 1 MiB: one is written while the next fills. Never are two writes on their way: whatever kills
 * the process, the file holds a beginning of the content without holes, which a later attempt can go on from.
 */
export const blockWriter = (file: OpenFile, position: number): BlockWriter => new Blocks(file, position);

class Blocks implements BlockWriter {
  readonly #file: OpenFile;
  #position: number;
  #block: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  /** The block on its way, and what became of it: its error is kept, so that nobody writes behind a gap. */
  #writing: Promise<{ readonly error: unknown } | undefined> | undefined;

  constructor(file: OpenFile, position: number) {
    this.#file = file;
    this.#position = position;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      this.#block ??= takeBlock();
      const part = chunk.subarray(at, at + blockSize - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === blockSize) await this.#hand(this.#block);
    }
  }

  async end(): Promise<void> {
    if (this.#block !== undefined) await this.#hand(this.#block);
    await this.#written();
  }

  /** Waits for the block before and begins to write this one. */
  async #hand(block: Uint8Array<ArrayBuffer>): Promise<void> {
    const length = this.#filled;
    this.#block = undefined;
    this.#filled = 0;
    await this.#written();
    this.#writing = this.#writeAll(block, length).catch((error: unknown) => ({ error }));
  }

  async #written(): Promise<void> {
    const failure = await this.#writing;
    if (failure !== undefined) throw failure.error;
  }

  async #writeAll(block: Uint8Array<ArrayBuffer>, length: number): Promise<undefined> {
    for (let at = 0; at < length; ) {
      const { bytesWritten } = await this.#file.write(block, at, Math.min(largestWrite, length - at), this.#position);
      at += bytesWritten;
      this.#position += bytesWritten;
    }
    giveBlock(block.buffer);
    return undefined;
  }
}
