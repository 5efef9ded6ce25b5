import { randomBytes } from "node:crypto";
import { DrayError } from "dray/errors";
import type { Block, Blocks } from "./blocks.ts";
import type { ServedBody } from "./respond.ts";

/** A file that is open to be read by position, whatever keeps it. */
export interface ReadableFile {
  readonly size: number;
  /** Reads from `position` until `into` is full or the file ends; gives the count. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * The bytes of a stored file from `start` up to `end`, which is not among them. One block is read while the former one is written,
 * both by threads of the runtime, so other requests are answered meanwhile. The file is closed when its bytes are sent, when they
 * cannot be, or when the body is discarded.
 */
export const fileBody = (
  file: ReadableFile,
  { start, end, signal }: { readonly start: number; readonly end: number; readonly signal?: AbortSignal | undefined },
  blocks: Blocks,
): ServedBody => ({
  length: end - start,
  pour: (write) => pour(file, start, end, write, blocks),
  chunks: { [Symbol.asyncIterator]: () => chunks(file, start, end, signal) },
  discard: () => file.close(),
});

type Write = (chunk: Uint8Array) => Promise<void>;

const pour = async (file: ReadableFile, start: number, end: number, write: Write, blocks: Blocks): Promise<void> => {
  const stream = blocks.open();
  let ahead: Promise<Block> | undefined;
  const fill = async (position: number): Promise<Block> => {
    const block = stream.take(end - position);
    try {
      await read(file, block.bytes, position);
      return block;
    } catch (error) {
      block.free({ again: false });
      throw error;
    }
  };
  try {
    if (start < end) ahead = fill(start);
    for (let position = start; ahead !== undefined; ) {
      const block = await ahead;
      position += block.bytes.byteLength;
      ahead = position < end && !stream.isCrowded ? fill(position) : undefined;
      // Heard of where it is awaited, and not before.
      ahead?.catch(() => {});
      let again = false;
      try {
        await write(block.bytes);
        again = true;
      } finally {
        // After a write that failed the system may still look at the block.
        block.free({ again });
      }
      if (position < end) ahead ??= fill(position);
    }
  } finally {
    // A read on its way into a block must end before the file does.
    await ahead?.then((block) => block.free({ again: true })).catch(() => {});
    stream.close();
    await file.close();
  }
};

/** Each chunk in memory of its own, since whoever reads it may keep it or give it away. */
async function* chunks(
  file: ReadableFile,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for (let position = start; position < end; ) {
      signal?.throwIfAborted();
      // Not a Buffer: whoever reads it may compare it with bytes of his own. Not cleared either.
      const { buffer, byteLength } = Buffer.allocUnsafeSlow(Math.min(256 * 1024, end - position));
      const chunk = new Uint8Array(buffer, 0, byteLength);
      await read(file, chunk, position);
      position += chunk.byteLength;
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

const read = async (file: ReadableFile, into: Uint8Array, position: number): Promise<void> => {
  const count = await file.read(into, position);
  if (count !== into.byteLength)
    throw new DrayError("DISK", `a stored file of ${file.size} bytes ended at ${position + count}`);
};

/** Several ranges of a file as `multipart/byteranges`. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.6 */
export const partsBody = (
  file: ReadableFile,
  ranges: readonly { readonly start: number; readonly end: number }[],
  mediaType: string,
  blocks: Blocks,
): { body: ServedBody; boundary: string } => {
  const boundary = randomBytes(15).toString("hex");
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const heads = ranges.map(({ start, end }, i) =>
    encode(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${mediaType}\r\nContent-Range: bytes ${start}-${end - 1}/${file.size}\r\n\r\n`,
    ),
  );
  const tail = encode(`\r\n--${boundary}--\r\n`);
  const length = ranges.reduce(
    (sum, { start, end }, i) => sum + end - start + (heads[i]?.byteLength ?? 0),
    tail.byteLength,
  );
  // Each part closes what it was given; the file itself is closed once, at the end.
  const kept: ReadableFile = { size: file.size, read: file.read.bind(file), close: async () => {} };
  const parts = ranges.map((range, i) => ({ head: heads[i] as Uint8Array, body: fileBody(kept, range, blocks) }));
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (const { head, body } of parts) {
        yield head;
        yield* body.chunks;
      }
      yield tail;
    } finally {
      await file.close();
    }
  }
  const pour = async (write: Write): Promise<void> => {
    try {
      for (const { head, body } of parts) {
        await write(head);
        await body.pour?.(write);
      }
      await write(tail);
    } finally {
      await file.close();
    }
  };
  const opened = chunks();
  return { body: { length, chunks: opened, pour, discard: () => file.close() }, boundary };
};
