import { claim } from "../content/index.ts";
import { type AsyncDigester, digesterFor, hashInThread, type ThreadedDigester, worthItsThread } from "../hash/index.ts";
import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import { type BlockWriter, blockWriter } from "./block-writer.ts";
import type { OpenFile } from "./file-system.ts";

/** Writes content into a part of a file and computes its digest on the way. */
export interface HashedWriter {
  /** Adds bytes of the content that lie there already, before the first `write`. They stay the caller's. */
  update(chunk: Uint8Array): Promise<void>;
  /** Adds bytes and writes them. Resolves when there is room for more. @throws what the system says of this write or one before */
  write(chunk: Uint8Array): Promise<void>;
  /** Writes what is still held and waits for it. Call it before the file is closed, also after an error: what arrived is worth keeping. */
  end(): Promise<void>;
  /** After `end`. */
  digest(): Promise<Digest>;
  /** Lets go of it. Safe to call at any time, more than once. */
  abandon(): void;
}

export interface HashedWriterOptions {
  readonly algorithm: DigestAlgorithm;
  /** Bytes of the whole content. */
  readonly size: number;
  /** Where the content begins in the file. */
  readonly position: number;
  /** The chunks to be written may be taken over, as with `Content`. */
  readonly handsOver: boolean;
}

/**
 * Large content is hashed and written by another thread, so that this one has time for the network; anything else here. However it is done,
 * never are two writes on their way.
 */
export const hashedWriter = (file: OpenFile, options: HashedWriterOptions): HashedWriter =>
  file.fd !== undefined && worthItsThread(options.size)
    ? inThread(hashInThread(options.algorithm), file.fd, options)
    : inPlace(digesterFor(options.algorithm, options.size), file, options);

const inThread = (hash: ThreadedDigester, fd: number, { position, handsOver }: HashedWriterOptions): HashedWriter => {
  let there = 0;
  let writing = false;
  return {
    update: (chunk) => {
      there += chunk.byteLength;
      return hash.update(chunk);
    },
    write: (chunk) => {
      if (!writing) hash.writeTo({ fd, position: position + there });
      writing = true;
      return handsOver && claim(chunk) ? hash.give(chunk) : hash.update(chunk);
    },
    end: () => hash.end(),
    digest: () => hash.digest(),
    abandon: () => hash.abandon(),
  };
};

const inPlace = (hash: AsyncDigester, file: OpenFile, { position, handsOver }: HashedWriterOptions): HashedWriter => {
  let there = 0;
  let writer: BlockWriter | undefined;
  return {
    update: (chunk) => {
      there += chunk.byteLength;
      return hash.update(chunk);
    },
    write: async (chunk) => {
      writer ??= blockWriter(file, position + there);
      if (handsOver && claim(chunk)) {
        await writer.write(chunk);
        await hash.give(chunk);
      } else {
        await hash.update(chunk);
        await writer.write(chunk);
      }
    },
    end: async () => writer?.end(),
    digest: () => hash.digest(),
    abandon: () => hash.abandon(),
  };
};
