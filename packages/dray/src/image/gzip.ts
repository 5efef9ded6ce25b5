import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, crc32, deflateRaw } from "node:zlib";
import { blocksOf } from "../content/index.ts";

const deflate = promisify(deflateRaw) as (
  block: Uint8Array,
  options: { level: number; finishFlush: number; chunkSize: number; dictionary?: Uint8Array },
) => Promise<Uint8Array>;

/** Part of the format: another size makes other bytes of the same input. */
const blockSize = 1024 * 1024;
/** How far back deflate looks. */
const window = 32 * 1024;
/** RFC 1952: no name, no time, unknown system, so that the same input gives the same bytes. */
const head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/**
 * gzip on all cores: blocks are compressed side by side on zlib's threads, each with the end of the one before as its
 * dictionary, and joined to one ordinary gzip member. The bytes depend on input, level and zlib, not on the number of cores.
 */
export async function* gzip(
  chunks: AsyncIterable<Uint8Array>,
  { level = 1 }: { level?: number } = {},
): AsyncGenerator<Uint8Array> {
  const atOnce = availableParallelism() + 1;
  const ahead: Promise<Uint8Array>[] = [];
  let sum = 0;
  let size = 0;
  let before: Uint8Array | undefined;
  yield head;
  try {
    for await (const block of blocksOf(chunks, blockSize)) {
      sum = crc32(block, sum);
      size += block.byteLength;
      ahead.push(compress(block, before, level));
      before = block.subarray(Math.max(0, block.byteLength - window));
      if (ahead.length >= atOnce) yield await (ahead.shift() as Promise<Uint8Array>);
    }
    while (ahead.length > 0) yield await (ahead.shift() as Promise<Uint8Array>);
  } finally {
    await Promise.allSettled(ahead);
  }
  yield tail(sum, size);
}

const compress = (block: Uint8Array, before: Uint8Array | undefined, level: number): Promise<Uint8Array> =>
  deflate(block, {
    level,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: block.byteLength + 1024,
    ...(before === undefined ? {} : { dictionary: before }),
  });

/** An empty last block, then the checksum and the size modulo 2^32. */
const tail = (sum: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(10);
  bytes[0] = 3;
  const view = new DataView(bytes.buffer);
  view.setUint32(2, sum >>> 0, true);
  view.setUint32(6, size % 2 ** 32, true);
  return bytes;
};
