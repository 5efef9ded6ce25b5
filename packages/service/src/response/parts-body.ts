import { randomBytes } from "node:crypto";
import type { ServedBody } from "./body.ts";
import { fileBody, type ReadableFile } from "./file-body.ts";

/** Several ranges of a file as `multipart/byteranges`. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.6 */
export const partsBody = (
  file: ReadableFile,
  ranges: readonly { readonly start: number; readonly end: number }[],
  mediaType: string,
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
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (const [i, range] of ranges.entries()) {
        yield heads[i] as Uint8Array;
        yield* fileBody(kept, range).chunks;
      }
      yield tail;
    } finally {
      await file.close();
    }
  }
  const opened = chunks();
  return { body: { length, chunks: opened, discard: () => file.close() }, boundary };
};
