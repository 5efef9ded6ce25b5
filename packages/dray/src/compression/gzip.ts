import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, crc32, deflateRaw } from "node:zlib";
import { detach, transferable } from "../content/index.ts";
import { type Block, blockSize, giveBlock, takeBlock } from "../threads/index.ts";

const deflate = promisify(deflateRaw) as (
  block: Uint8Array,
  options: { level: number; finishFlush: number; chunkSize: number; dictionary?: Uint8Array },
) => Promise<Uint8Array>;

/** How far back deflate looks. */
const window = 32 * 1024;
/** RFC 1952: no name, no time, unknown system, so that the same input gives the same bytes. */
const head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

export interface GzipOptions {
  /** zlib's, 1 to 9. Default 1. */
  readonly level?: number;
  /** Chunks are let go of once they were taken in: see `transfersChunks`. Default: no. */
  readonly handsOver?: boolean;
}

/**
 * gzip on all cores: blocks are compressed side by side on zlib's threads, each with the end of the one before as its
 * dictionary, and joined to one ordinary gzip member. The bytes depend on input, level and zlib, not on the number of cores.
 */
export async function* gzip(
  chunks: AsyncIterable<Uint8Array>,
  { level = 1, handsOver = false }: GzipOptions = {},
): AsyncGenerator<Uint8Array> {
  const atOnce = availableParallelism() + 1;
  const ahead: Promise<Uint8Array>[] = [];
  let sum = 0;
  let size = 0;
  let before: Uint8Array | undefined;
  yield head;
  try {
    for await (const { block, length } of filledBlocks(chunks, handsOver)) {
      const bytes = block.bytes.subarray(0, length);
      sum = crc32(bytes, sum);
      size += length;
      ahead.push(compress(bytes, before, level).finally(() => giveBlock(block)));
      // A copy: the block itself is used again as soon as it is compressed.
      before = bytes.slice(Math.max(0, length - window));
      if (ahead.length >= atOnce) yield await (ahead.shift() as Promise<Uint8Array>);
    }
    while (ahead.length > 0) yield await (ahead.shift() as Promise<Uint8Array>);
  } finally {
    await Promise.allSettled(ahead);
  }
  yield tail(sum, size);
}

/** Joins chunks to blocks, all full but the last. Their size is part of the format: another one makes other bytes of the same input. */
async function* filledBlocks(
  chunks: AsyncIterable<Uint8Array>,
  handsOver: boolean,
): AsyncGenerator<{ readonly block: Block; readonly length: number }> {
  let block: Block | undefined;
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      block ??= takeBlock();
      const part = chunk.subarray(at, at + blockSize - filled);
      block.bytes.set(part, filled);
      at += part.byteLength;
      filled += part.byteLength;
      if (filled < blockSize) continue;
      yield { block, length: filled };
      block = undefined;
      filled = 0;
    }
    if (handsOver) detach(chunk);
  }
  if (block !== undefined && filled > 0) yield { block, length: filled };
}

/** Bytes looked at of a block, and of each of the places that they are taken from. */
const [sampled, eachSample] = [16 * 1024, 1024];
/** Bits a byte of samples that nothing can be gained from: of random bytes they have 7.99. */
const dense = 7.95;

/**
 * Whether a block has been compressed or encrypted already, by how evenly its bytes are spread: deflate takes
 * thirteen times as long as a copy of that and gains nothing, so it is stored. A few places that are not so suffice to try.
 */
const isDense = (block: Uint8Array): boolean => {
  if (block.byteLength < sampled) return false;
  const counts = new Uint32Array(256);
  const step = Math.floor(block.byteLength / (sampled / eachSample));
  for (let from = 0; from + eachSample <= block.byteLength; from += step)
    for (let at = from; at < from + eachSample; at++) counts[block[at] as number]! += 1;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return (
    counts.reduce((bits, count) => (count === 0 ? bits : bits - (count / total) * Math.log2(count / total)), 0) > dense
  );
};

const compress = async (block: Uint8Array, before: Uint8Array | undefined, level: number): Promise<Uint8Array> => {
  const made = await deflate(block, {
    level: isDense(block) ? 0 : level,
    finishFlush: constants.Z_SYNC_FLUSH,
    // One piece for any block, also one that grows.
    chunkSize: block.byteLength + 1024,
    ...(before === undefined ? {} : { dictionary: before }),
  });
  // Much shorter than the buffer it lies in, which would stay as long as it. Small buffers are parts of a common pool.
  const exact = new Uint8Array(made);
  if (made.buffer.byteLength >= blockSize) (made.buffer as ArrayBuffer).transfer(0);
  return transferable(exact);
};

/** An empty last block, then the checksum and the size modulo 2^32. */
const tail = (sum: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(10);
  bytes[0] = 3;
  const view = new DataView(bytes.buffer);
  view.setUint32(2, sum >>> 0, true);
  view.setUint32(6, size % 2 ** 32, true);
  return bytes;
};
