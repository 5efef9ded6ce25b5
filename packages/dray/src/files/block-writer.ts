import type { OpenFile } from "./file-system.ts";

/**
 * Bytes handed to the kernel at once. Larger ones fit neither the processor's cache, when another core writes what this one
 * has filled, nor file systems with large folios (ext4 since Linux 6.16, xfs): those take pages in one piece, from memory that was
 * not used lately, which in a virtual machine the host still has to find. Writing 512 MiB took 0.5 to 1.2 s of processor time in
 * pieces of 1 MiB, and 0.2 s in these.
 */
export const pieceSize: number = 128 * 1024;

/** Bytes of a page of memory; where it is larger, the first piece is a part of one. */
export const page: number = 4096;

/**
 * The first piece ends one page behind a multiple of the piece size, and so do all that follow: a piece that begins at such a
 * multiple would be given pages in one piece, and one that straddles it gets smaller ones, which are at hand. That halves the
 * time the kernel takes.
 */
const firstLength = (position: number): number => {
  const over = (((position - page) % pieceSize) + pieceSize) % pieceSize;
  return pieceSize - over;
};

/** Writes chunks one after the other into a part of a file. */
export interface BlockWriter {
  /** Takes a chunk, which stays the caller's own. Resolves when there is room for more. @throws what the file system throws */
  write(chunk: Uint8Array): Promise<void>;
  /** Writes what is still held and waits for it. Call it once, also after an error elsewhere: what arrived is worth keeping. */
  end(): Promise<void>;
}

/**
 * Gathers chunks into pieces of one size: one is written while the next fills. Never are two writes on their way: whatever kills
 * the process, the file holds a beginning of the content without holes, which a later attempt can go on from.
 */
export const blockWriter = (file: OpenFile, position: number): BlockWriter => new Pieces(file, position);

class Pieces implements BlockWriter {
  readonly #file: OpenFile;
  #position: number;
  #piece: Uint8Array = new Uint8Array(pieceSize);
  /** Bytes that the present piece is to have. */
  #length: number;
  #filled = 0;
  #spare: Uint8Array = new Uint8Array(pieceSize);
  /** The piece on its way, and what became of it: its error is kept, so that nobody writes behind a gap. */
  #writing: Promise<{ readonly error: unknown } | undefined> | undefined;

  constructor(file: OpenFile, position: number) {
    this.#file = file;
    this.#position = position;
    this.#length = firstLength(position);
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + this.#length - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === this.#length) await this.#hand();
    }
  }

  async end(): Promise<void> {
    if (this.#filled > 0) await this.#hand();
    await this.#written();
  }

  /** Waits for the piece before and begins to write this one. */
  async #hand(): Promise<void> {
    await this.#written();
    const [piece, length] = [this.#piece, this.#filled];
    this.#piece = this.#spare;
    this.#spare = piece;
    this.#filled = 0;
    this.#length = pieceSize;
    this.#writing = this.#writeAll(piece, length).catch((error: unknown) => ({ error }));
  }

  async #written(): Promise<void> {
    const failure = await this.#writing;
    if (failure !== undefined) throw failure.error;
  }

  async #writeAll(piece: Uint8Array, length: number): Promise<undefined> {
    for (let at = 0; at < length; ) {
      const { bytesWritten } = await this.#file.write(piece, at, length - at, this.#position);
      at += bytesWritten;
      this.#position += bytesWritten;
    }
    return undefined;
  }
}
