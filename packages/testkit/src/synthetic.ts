import { createCipheriv, createHash } from "node:crypto";
import type { MemoryContent } from "@dray/server";
import { blocksOf, type Content } from "dray/content";
import { type Descriptor, type DigestAlgorithm, digester } from "dray/oci";

const blockSize = 256 * 1024;
const cipherBlock = 16;

/**
 * `length` bytes of the endless stream that belongs to a seed, from `offset` on. The same everywhere and for ever, and
 * incompressible: it is AES-CTR over zeros, where the counter makes any offset reachable at once.
 */
export const seededBytes = (seed: string, length: number, offset = 0): Uint8Array<ArrayBuffer> => {
  const skip = offset % cipherBlock;
  const counter = Buffer.alloc(cipherBlock);
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / cipherBlock)), 8);
  const key = createHash("sha256").update(seed).digest();
  const stream = createCipheriv("aes-256-ctr", key, counter).update(Buffer.alloc(skip + length));
  // A buffer of its own, so that whoever gets it may transfer it away.
  return new Uint8Array(stream.subarray(skip));
};

/** Content that can be opened by a client and put into a registry. */
export type Synthetic = Content & MemoryContent;

/**
 * Content of any size that takes no memory: made as it is read.
 * @example registry.addContent("big/one", await describeContent(syntheticContent("a", 3 * 2 ** 30)))
 */
export const syntheticContent = (seed: string, size: number): Synthetic => ({
  size,
  read: (into, position) => {
    const bytes = seededBytes(seed, Math.max(0, Math.min(into.byteLength, size - position)), position);
    into.set(bytes);
    return bytes.byteLength;
  },
  async *open({ offset = 0, signal } = {}) {
    for (let at = offset; at < size; at += blockSize) {
      signal?.throwIfAborted();
      yield seededBytes(seed, Math.min(blockSize, size - at), at);
    }
  },
});

/** Reads content once to learn its size and digest. */
export const describeContent = async <C extends Content>(
  content: C,
  { mediaType = "application/octet-stream", algorithm }: { mediaType?: string; algorithm?: DigestAlgorithm } = {},
): Promise<{ descriptor: Descriptor; content: C }> => {
  const hash = digester(algorithm);
  let size = 0;
  for await (const block of blocksOf(content.open(), 4 * blockSize)) {
    hash.update(block);
    size += block.byteLength;
  }
  return { descriptor: { mediaType, digest: hash.digest(), size }, content };
};
