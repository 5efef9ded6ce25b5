import type { MemoryContent } from "@dray/server";
import { blocksOf, type Content } from "dray/content";
import { type Descriptor, type DigestAlgorithm, digester } from "dray/oci";
import { seededBytes } from "./files/index.ts";

const blockSize = 256 * 1024;

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
