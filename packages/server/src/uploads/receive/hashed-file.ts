import { createHash, type Hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Digest, DigestAlgorithm } from "dray/oci";
import { EarlySync } from "./early-sync.ts";

/** The calls of `node:fs` that a thread of its own may wait for, and one that it need not. */
export interface BlockingFiles {
  openSync(path: string, flags: string): number;
  fstatSync(file: number): { readonly size: number };
  readSync(file: number, into: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(file: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  ftruncateSync(file: number, length: number): void;
  closeSync(file: number): void;
  fdatasync(file: number, done: (error: Error | null) => void): void;
}

export interface HashedFileOptions {
  /** What counts of it, where that is known. */
  readonly size: number | undefined;
  /** It will be brought to the disk: begin early. Default `false`. */
  readonly lasting?: boolean;
}

/** Bytes written at once; larger pieces cost the kernel more (see `dray/files`). */
const pieceSize = 128 * 1024;
/** Bytes read at once, and hashed before another file has its turn. */
const turn = 1024 * 1024;

/** A file that is hashed as it grows, by calls that wait. The caller does one thing after the other. */
export class HashedFile {
  readonly #fs: BlockingFiles;
  readonly #file: number;
  readonly #algorithm: DigestAlgorithm;
  readonly #early: EarlySync | undefined;
  /** Of all that is written; none after a failure, until it is needed. */
  #hash: Hash | undefined;
  #size: number;
  /** After it nothing is written any more: there would be a gap. */
  #failure: { readonly error: unknown } | undefined;

  private constructor(fs: BlockingFiles, file: number, algorithm: DigestAlgorithm, size: number, lasting: boolean) {
    this.#fs = fs;
    this.#file = file;
    this.#algorithm = algorithm;
    this.#size = size;
    if (lasting)
      this.#early = new EarlySync(
        (done) => fs.fdatasync(file, done),
        () => this.#forsake(),
      );
  }

  /** Opens a file, made if it is not there, and hashes what it has. */
  static async open(
    fs: BlockingFiles,
    path: string,
    algorithm: DigestAlgorithm,
    { size, lasting = false }: HashedFileOptions,
  ): Promise<HashedFile> {
    const file = openToGrow(fs, path, size === 0);
    try {
      const there = fs.fstatSync(file).size;
      if (size !== undefined && there < size) throw shorter(there, size);
      if (size !== undefined && there > size) fs.ftruncateSync(file, size);
      const opened = new HashedFile(fs, file, algorithm, size ?? there, lasting);
      opened.#hash = await opened.#hashed(algorithm);
      return opened;
    } catch (error) {
      fs.closeSync(file);
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Adds bytes at the end. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#early?.check();
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      this.#hash ??= await this.#hashed(this.#algorithm);
      for (let at = 0; at < bytes.byteLength; ) {
        const length = Math.min(pieceSize, bytes.byteLength - at);
        const written = this.#fs.writeSync(this.#file, bytes, at, length, this.#size + at);
        // A file that takes nothing and reports no error would keep us here for ever.
        if (written <= 0) throw Object.assign(new Error("the file takes no more bytes"), { code: "ENOSPC" });
        at += written;
      }
      this.#hash.update(bytes);
      this.#size += bytes.byteLength;
      this.#early?.wrote(bytes.byteLength);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Goes back to a size it had. If that fails, nothing is written until it was done. */
  cut(size: number): void {
    this.#early?.check();
    this.#failure ??= { error: new Error("the file is being cut") };
    this.#fs.ftruncateSync(this.#file, size);
    this.#hash = undefined;
    this.#size = size;
    this.#failure = undefined;
  }

  async digest(algorithm: DigestAlgorithm): Promise<Digest> {
    this.#early?.check();
    if (this.#failure !== undefined) throw this.#failure.error;
    const own = algorithm === this.#algorithm;
    if (own) this.#hash ??= await this.#hashed(algorithm);
    // A copy: more may come, if this is not what the client thought it sent.
    const hash = own ? this.#hash?.copy() : undefined;
    return `${algorithm}:${(hash ?? (await this.#hashed(algorithm))).digest("hex")}` as Digest;
  }

  /** @throws also where some of the file may never reach the disk */
  async close(): Promise<void> {
    await this.#early?.over();
    this.#fs.closeSync(this.#file);
    this.#early?.check();
  }

  /** Nobody may go on with bytes that a later sync would call safe: what reads them finds them in memory. */
  #forsake(): void {
    try {
      this.#fs.ftruncateSync(this.#file, 0);
    } catch {
      // Whoever goes on with it has this disk to deal with as well.
    }
  }

  async #hashed(algorithm: DigestAlgorithm): Promise<Hash> {
    const hash = createHash(algorithm);
    if (this.#size === 0) return hash;
    const block = new Uint8Array(Math.min(turn, this.#size));
    for (let at = 0; at < this.#size; ) {
      const read = this.#fs.readSync(this.#file, block, 0, Math.min(block.byteLength, this.#size - at), at);
      if (read === 0) throw shorter(at, this.#size);
      hash.update(block.subarray(0, read));
      at += read;
      if (at < this.#size) await nextTurn();
    }
    return hash;
  }
}

/** What is likelier is tried first. */
const openToGrow = (fs: BlockingFiles, path: string, fresh: boolean): number => {
  const [likely, unlikely] = fresh ? (["wx+", "r+"] as const) : (["r+", "wx+"] as const);
  try {
    return fs.openSync(path, likely);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== (fresh ? "EEXIST" : "ENOENT")) throw error;
    return fs.openSync(path, unlikely);
  }
};

const shorter = (there: number, size: number): Error =>
  new Error(`the file has ${there} bytes where ${size} were written; somebody else cut it`);
