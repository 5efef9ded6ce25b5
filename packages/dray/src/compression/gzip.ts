import { crc32 } from "node:zlib";
import { transferable } from "../content/index.ts";
import { deflateSegment, partsOf, type Segment, threadsThatDeflate } from "../deflate/index.ts";
import { giveSegment, segmentsOf } from "./segments.ts";

/** RFC 1952: no name, no time, unknown system, so that the same input gives the same bytes. */
const head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** The level that is meant where none is said: the fastest one, whose result is smaller than that of zlib's fastest. */
export const defaultLevel = 1;

export interface GzipOptions {
  /** 1 to 9. Default 1. */
  readonly level?: number;
  /** Chunks are let go of once they were taken in: see `transfersChunks`. Default: no. */
  readonly handsOver?: boolean;
}

/**
 * gzip on all cores: segments of 1 MiB are compressed side by side and joined to one ordinary gzip member. The bytes depend on input and
 * level alone: not on how the input is cut, nor on runtime, processor or number of cores (`deflateFormat`).
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly
 */
export async function* gzip(
  chunks: AsyncIterable<Uint8Array>,
  { level = defaultLevel, handsOver = false }: GzipOptions = {},
): AsyncGenerator<Uint8Array> {
  const atOnce = threadsThatDeflate() + 1;
  const ahead: Promise<Uint8Array[]>[] = [];
  let sum = 0;
  let size = 0;
  yield head;
  try {
    for await (const segment of segmentsOf(chunks, handsOver)) {
      for (const part of partsOf(segment, segment.length)) sum = crc32(part, sum);
      const made = compressed(segment, level, size === 0);
      // Told to whoever asks for it; until then it must not count as unhandled.
      made.catch(() => {});
      ahead.push(made);
      size += segment.length;
      if (ahead.length >= atOnce) yield* (await ahead.shift()) as Uint8Array[];
    }
    while (ahead.length > 0) yield* (await ahead.shift()) as Uint8Array[];
  } finally {
    await Promise.allSettled(ahead);
  }
  yield tail(sum, size);
}

const compressed = async (segment: Segment, level: number, begins: boolean): Promise<Uint8Array[]> => {
  try {
    return (await deflateSegment(segment, level, begins)).map(transferable);
  } finally {
    giveSegment(segment);
  }
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
