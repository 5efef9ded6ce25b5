import { setImmediate as nextTurn } from "node:timers/promises";
import { DrayError } from "dray/errors";
import { Mutex } from "dray/internal/async";
import { type Digest, type DigestAlgorithm, type Digester, digester } from "dray/oci";
import type { AppendFile } from "./driver.ts";

/** Where a receiver puts its bytes: a file that is open for reading and writing, or something like it. */
export interface ByteSink {
  size(): Promise<number>;
  /** Fills `into` from `position` on; tells how many bytes there were, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** May take fewer than all, and tells how many. The bytes are read until this settles, not later. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Receives into a sink, hashing on the thread that calls: the next piece is filled and hashed while one is written, and never are
 * two writes on their way. What the sink holds already is hashed first. The sink is the receiver's from here on, also if this rejects.
 */
export const receiver = async (sink: ByteSink, algorithm: DigestAlgorithm): Promise<AppendFile> => {
  try {
    const { hash, size } = await hashed(sink, algorithm, await sink.size());
    return new Growing(sink, algorithm, hash, size);
  } catch (error) {
    await sink.close().catch(() => {});
    throw error;
  }
};

/** Bytes written at once; larger pieces cost the kernel more (see `dray/files`). */
const pieceSize = 128 * 1024;
/** Bytes read at once to be hashed again; they give other work its turn as well. */
const blockSize = 1024 * 1024;

/** Pieces for the next receiver: one that waits for its client holds none. */
const free: Uint8Array[] = [];
const takePiece = (): Uint8Array => free.pop() ?? new Uint8Array(pieceSize);
const givePiece = (piece: Uint8Array): void => {
  if (free.length < 32) free.push(piece);
};

const hashed = async (
  sink: ByteSink,
  algorithm: DigestAlgorithm,
  size: number,
): Promise<{ hash: Digester; size: number }> => {
  const hash = digester(algorithm);
  if (size === 0) return { hash, size };
  const block = new Uint8Array(Math.min(blockSize, size));
  let at = 0;
  while (at < size) {
    const read = await sink.read(block.subarray(0, Math.min(block.byteLength, size - at)), at);
    if (read === 0) break;
    hash.update(block.subarray(0, read));
    at += read;
    await nextTurn();
  }
  return { hash, size: at };
};

class Growing implements AppendFile {
  readonly #sink: ByteSink;
  readonly #algorithm: DigestAlgorithm;
  /** Of everything up to `#end`; none after a failure or a digest, until it is needed again. */
  #hash: Digester | undefined;
  #digest: Digest | undefined;
  #told: number;
  /** Where the piece that fills will stand. */
  #end: number;
  #piece: Uint8Array | undefined;
  #filled = 0;
  #sinceTurn = 0;
  /** The write that is on its way. Never rejects: what went wrong is kept until `drain` has told it. */
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  readonly #turns = new Mutex("the receiver");

  constructor(sink: ByteSink, algorithm: DigestAlgorithm, hash: Digester, size: number) {
    this.#sink = sink;
    this.#algorithm = algorithm;
    this.#hash = hash;
    this.#told = size;
    this.#end = size;
  }

  get size(): number {
    return this.#told;
  }

  append(chunk: Uint8Array): Promise<void> {
    return this.#turns.run(() => this.#append(chunk));
  }

  drain(): Promise<number> {
    return this.#turns.run(() => this.#drain());
  }

  digest(algorithm: DigestAlgorithm): Promise<Digest> {
    return this.#turns.run(async () => {
      const size = await this.#drain();
      if (algorithm !== this.#algorithm) return (await this.#again(algorithm, size)).digest();
      if (this.#digest === undefined) {
        const hash = this.#hash ?? (await this.#again(algorithm, size));
        this.#hash = undefined;
        this.#digest = hash.digest();
      }
      return this.#digest;
    });
  }

  close(): Promise<void> {
    return this.#turns.close(() => this.#close());
  }

  async #append(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (chunk.byteLength === 0) return;
    if (this.#hash === undefined) await this.#rehash();
    for (let at = 0; at < chunk.byteLength; ) {
      this.#piece ??= takePiece();
      const part = chunk.subarray(at, at + pieceSize - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === pieceSize) await this.#hand();
    }
  }

  /** What was appended is lost if this fails: whatever follows must not be written behind the gap. */
  async #rehash(): Promise<void> {
    try {
      this.#hash = await this.#again(this.#algorithm, this.#end);
      this.#digest = undefined;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Waits for the piece before, begins to write this one, and hashes it meanwhile. */
  async #hand(): Promise<void> {
    await this.#written();
    const [piece, position] = [this.#piece, this.#end];
    if (piece === undefined) return;
    const bytes = piece.subarray(0, this.#filled);
    this.#piece = undefined;
    this.#filled = 0;
    this.#end += bytes.byteLength;
    this.#writing = this.#write(bytes, position)
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => givePiece(piece));
    this.#hash?.update(bytes);
    this.#sinceTurn += bytes.byteLength;
    if (this.#sinceTurn < blockSize) return;
    // Chunks and writes in memory resolve without leaving this turn of the event loop: timers and sockets would starve.
    this.#sinceTurn = 0;
    await nextTurn();
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      const written = await this.#sink.write(at === 0 ? bytes : bytes.subarray(at), position + at);
      if (written <= 0) throw new DrayError("DISK", "the file took no more bytes; check the disk's free space");
      at += written;
    }
  }

  async #written(): Promise<void> {
    await this.#writing;
    this.#writing = undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #drain(): Promise<number> {
    try {
      if (this.#filled > 0) await this.#hand();
      await this.#written();
    } catch (error) {
      await this.#cutBack();
      throw error;
    }
    this.#told = this.#end;
    return this.#told;
  }

  /** Forgets what came after the last size told. If that fails too, whatever comes next rejects, and `drain` tries it again. */
  async #cutBack(): Promise<void> {
    if (this.#piece !== undefined) givePiece(this.#piece);
    this.#piece = undefined;
    this.#filled = 0;
    this.#end = this.#told;
    this.#hash = undefined;
    this.#digest = undefined;
    try {
      await this.#sink.truncate(this.#told);
      this.#failure = undefined;
    } catch {
      // The reason it is cut for says more than that it could not be cut.
    }
  }

  async #again(algorithm: DigestAlgorithm, size: number): Promise<Digester> {
    const { hash, size: found } = await hashed(this.#sink, algorithm, size);
    if (found !== size)
      throw new DrayError("DISK", `the file has ${found} bytes where ${size} were written; somebody else cut it`);
    return hash;
  }

  async #close(): Promise<void> {
    try {
      await this.#drain();
    } finally {
      await this.#sink.close();
    }
  }
}
