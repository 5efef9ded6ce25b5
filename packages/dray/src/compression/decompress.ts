import type { Transform } from "node:stream";
import { transferable } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import type { Compression } from "../oci/index.ts";
import { zstdFrames } from "./zstd-frames.ts";

/** Node's default of 16 KiB doubles the time and keeps the main thread busy with small pieces. */
const chunkSize = 256 * 1024;
/** What is made comes piece by piece, never several joined into a copy: by each piece it is seen which buffer is written to. */
const pieces = { chunkSize, readableObjectMode: true, readableHighWaterMark: 1 } as const;

/** How bytes are compressed, by how they begin. */
export const sniffCompression = (start: Uint8Array): Compression => {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return "zstd";
  // A frame of somebody else's may come first, as pzstd has it.
  if (((start[0] ?? 0) & 0xf0) === 0x50 && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18) return "zstd";
  return "none";
};

/**
 * The bytes of a layer without their compression, whatever it is: layers are not always what their media type says.
 * Decompression runs on zlib's own threads; memory is bounded by a few chunks. `release` gets a chunk that went in when nobody looks
 * at it any more; after a failure perhaps not each. With `lends` the memory of what comes out is given back when the next chunk is asked for: a
 * quarter of a megabyte that is not full is left by each of many small layers, and a collector learns of it late.
 * @throws DrayError `MANIFEST_INVALID` when the compressed bytes are damaged or end early.
 */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  { release = noted, lends = false }: { release?: (chunk: Uint8Array) => void; lends?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  const start = await beginning(source, release);
  const whole = again(start, source);
  const how = sniffCompression(start);
  if (how === "none") {
    for await (const chunk of whole) {
      yield chunk;
      release(chunk);
    }
    return;
  }
  // Loaded when something is compressed: a millisecond of every start otherwise.
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  if (how === "zstd" && (createZstdDecompress as unknown) === undefined)
    throw new DrayError(
      "UNSUPPORTED",
      `this is compressed by zstd, which Node ${process.versions.node} cannot read; 22.15 can`,
    );
  if (how === "gzip") yield* through(createGunzip(pieces), whole, how, { release, lends });
  else
    for await (const frame of zstdFrames(release === noted ? whole : copies(whole, release))) {
      if (!frame.skippable) yield* through(createZstdDecompress(pieces), frame.chunks, how, { release: noted, lends });
      else for await (const _ of frame.chunks);
    }
}

/** How bytes are compressed, and the same bytes from their beginning. */
export const peeked = async (
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly compression: Compression; readonly whole: AsyncIterable<Uint8Array> }> => {
  const source = chunks[Symbol.asyncIterator]();
  const start = await beginning(source, noted);
  return { compression: sniffCompression(start), whole: again(start, source) };
};

/** Enough to tell: a pipe may bring a byte at a time. */
const beginning = async (
  source: AsyncIterator<Uint8Array>,
  release: (chunk: Uint8Array) => void,
): Promise<Uint8Array> => {
  let start: Uint8Array = new Uint8Array(0);
  while (start.byteLength < 4) {
    const next = await source.next();
    if (next.done) break;
    if (start.byteLength === 0) start = next.value;
    else {
      const joined = Buffer.concat([start, next.value]);
      release(start);
      release(next.value);
      start = joined;
    }
  }
  return start;
};

/** Frames are cut across chunks, and nobody knows when a decompressor is done with a part of one. */
async function* copies(
  chunks: AsyncIterable<Uint8Array>,
  release: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const copy = new Uint8Array(chunk);
    release(chunk);
    yield copy;
  }
}

async function* again(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.byteLength > 0) yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/**
 * Feeds a transform and passes on what it makes. Its input is read to the end even when the compressed stream ends before
 * (a gzip member may be followed by padding), so that whoever hashes the input sees all of it.
 */
async function* through(
  transform: Transform,
  chunks: AsyncIterable<Uint8Array>,
  how: Compression,
  { release, lends }: { readonly release: (chunk: Uint8Array) => void; readonly lends: boolean },
): AsyncGenerator<Uint8Array> {
  let over = false;
  /** The buffer that is filled: more of it is until a piece of another one comes. A small piece Bun may have copied, which says nothing of the buffer. */
  let last: ArrayBufferLike | undefined;
  const giveBack = (): void => {
    if (lends && last instanceof ArrayBuffer && last.byteLength === chunkSize) last.transfer(0);
  };
  transform.once("end", () => {
    over = true;
  });
  const fed = feed(transform, chunks, () => over, release);
  // Seen below; until then it must not count as unhandled.
  fed.catch(() => {});
  try {
    for await (const chunk of transform) {
      const { buffer } = chunk as Uint8Array;
      if (buffer.byteLength === chunkSize) {
        if (buffer !== last) giveBack();
        last = buffer;
      }
      yield transferable(chunk as Uint8Array);
    }
    await fed;
    giveBack();
  } catch (cause) {
    over = true;
    transform.destroy();
    await fed;
    throw new DrayError("MANIFEST_INVALID", `the ${how} data is damaged or ends early`, { cause });
  } finally {
    over = true;
    transform.destroy();
  }
}

/** @throws what reading the input throws; what the transform throws is its own reader's. */
const feed = async (
  transform: Transform,
  chunks: AsyncIterable<Uint8Array>,
  isOver: () => boolean,
  release: (chunk: Uint8Array) => void,
): Promise<void> => {
  try {
    for await (const chunk of chunks) {
      if (isOver() && transform.destroyed) break;
      if (isOver()) release(chunk);
      // Its error, which the write hears as well, is told to whoever reads.
      else if (!transform.write(chunk, () => release(chunk))) await writable(transform);
    }
    transform.end();
  } catch (error) {
    transform.destroy(error as Error);
    throw error;
  }
};

const noted = (): void => {};

/** A transform that is destroyed, or has ended, never drains. */
const writable = (transform: Transform): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) transform.off(event, done);
      resolve();
    };
    const events = ["drain", "close", "error", "end"] as const;
    for (const event of events) transform.on(event, done);
    if (transform.destroyed) done();
  });
