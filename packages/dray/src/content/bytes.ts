import { DrayError } from "../errors.ts";

/** Bytes that can be read once: a response, an incoming request. Read it to the end or call `discard`. */
export interface Body {
  /** Bytes in all, where known. */
  readonly length?: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Lets go of what was not read. Safe to call at any time, more than once. */
  discard(): Promise<void>;
}

/** Bytes that can be opened again, so that a retry or a resume is possible. Nothing is held before the first chunk is asked for. */
export interface Content {
  /** Bytes in all, where known. */
  readonly size?: number | undefined;
  /** The bytes from `offset` on. Ending the iteration early lets go of whatever it holds. Its chunks are its own unless `transfersChunks` declares it. */
  open(options?: { offset?: number | undefined; signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>;
}

/** Content that lies in memory. @example await store.ingest(bytesContent(bytes), { mediaType: "application/json" }); */
export const bytesContent = (bytes: Uint8Array): Content => ({
  size: bytes.byteLength,
  open: ({ offset = 0 } = {}) => chunksOf(offset === 0 ? bytes : bytes.subarray(offset)),
});

/** A body that lies in memory. */
export const bytesBody = (bytes: Uint8Array): Body => ({
  length: bytes.byteLength,
  chunks: chunksOf(bytes),
  discard: async () => {},
});

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

/**
 * All of it in memory, up to `limit` bytes.
 * @throws DrayError `LIMIT_EXCEEDED` naming `what`, as soon as one byte too many arrives.
 * @example const bytes = await collect(store.read(descriptor), 1024 * 1024, "the configuration");
 */
export const collect = async (chunks: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Uint8Array> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > limit) throw new DrayError("LIMIT_EXCEEDED", `${what} is larger than ${limit} bytes`);
    parts.push(chunk);
  }
  if (parts.length === 1) return parts[0] as Uint8Array;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
};

/** Joins small chunks into blocks of `size` bytes; the last may be shorter. Each block has a buffer of its own, which may be transferred. */
export async function* blocksOf(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(size);
  let filled = 0;
  for await (let chunk of chunks) {
    while (chunk.byteLength > 0) {
      const part = chunk.subarray(0, size - filled);
      block.set(part, filled);
      filled += part.byteLength;
      chunk = chunk.subarray(part.byteLength);
      if (filled === size) {
        yield block;
        block = new Uint8Array(size);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
