import fs from "node:fs";
import { type Digest, type DigestAlgorithm, type Digester, digester } from "../oci/index.ts";
import type { Handler } from "../threads/index.ts";

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
 * Bytes of the piece that begins here. The first one ends one page behind a multiple of the piece size, and so do all that follow:
 * a piece that begins at such a multiple would be given pages in one piece, and one that straddles it gets smaller ones, which
 * are at hand. That halves the time the kernel takes.
 */
export const pieceAt = (position: number): number => {
  const over = (((position - page) % pieceSize) + pieceSize) % pieceSize;
  return pieceSize - over;
};

/** A part of a file, by the number that the system gave it: threads share those. */
export interface FilePart {
  readonly fd: number;
  readonly position: number;
}

/** One step of a hash in a thread: adds the bytes that come along. */
export interface HashStep {
  readonly algorithm: DigestAlgorithm;
  /** Also the digest of what it is without compression, of threads that do such. */
  readonly inside?: DigestAlgorithm | undefined;
  /** Where the bytes are written as well. After a write that failed nothing more is. */
  readonly to?: FilePart | undefined;
  /** Adds what lies there instead; the answer says how many bytes there were. */
  readonly from?: (FilePart & { readonly length: number }) | undefined;
  /** Answer with the digest. */
  readonly digest?: boolean;
  /** Nobody wants the digest any more. */
  readonly abandoned?: boolean;
}

export interface HashAnswer {
  readonly read?: number;
  readonly digest?: Digest;
  readonly inside?: Digest;
}

/** The calls of `node:fs` that a thread of its own may wait for. */
export type BlockingFiles = Pick<typeof fs, "readSync" | "writeSync">;

/** A hash as a thread runs it, which can write what it hashes. */
export const hashSteps = (files: BlockingFiles = fs): Handler<HashStep, HashAnswer> => {
  let hash: Digester | undefined;
  let failure: { readonly error: unknown } | undefined;
  return ({ algorithm, to, from, digest }, bytes) => {
    if (failure !== undefined) throw failure.error;
    try {
      hash ??= digester(algorithm);
      if (bytes !== undefined) {
        if (to !== undefined) writeAll(files, to, bytes);
        hash.update(bytes);
      }
      if (from !== undefined) return { read: read(files, from, hash) };
      return digest === true ? { digest: hash.digest() } : {};
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
};

const writeAll = (files: BlockingFiles, { fd, position }: FilePart, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.byteLength; ) {
    const length = Math.min(pieceAt(position + at), bytes.byteLength - at);
    const written = files.writeSync(fd, bytes, at, length, position + at);
    // A file that takes nothing and reports no error would keep us here for ever.
    if (written <= 0) throw Object.assign(new Error("the file takes no more bytes"), { code: "ENOSPC" });
    at += written;
  }
};

let scratch: Uint8Array | undefined;

const read = (
  files: BlockingFiles,
  { fd, position, length }: FilePart & { length: number },
  hash: Digester,
): number => {
  if (scratch === undefined || scratch.byteLength < length) scratch = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const bytes = files.readSync(fd, scratch, 0, length - at, position + at);
    if (bytes === 0) break;
    hash.update(scratch.subarray(0, bytes));
    at += bytes;
  }
  return at;
};
