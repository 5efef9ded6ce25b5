import { crc32 } from "node:zlib";

/**
 * gzip around bytes that are stored, not compressed. The zlib of Node and of Bun pack the same bytes differently; this
 * form is the same everywhere, so that a sample has one digest. @see https://www.rfc-editor.org/rfc/rfc1951#section-3.2.4
 */
export const storedGzip = (bytes: Uint8Array): Uint8Array => {
  const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
  const blocks = blocksOf(bytes, 0xffff).flatMap(({ block, last }) => [
    littleEndian([last ? 1 : 0, 1], [block.byteLength, 2], [~block.byteLength & 0xffff, 2]),
    block,
  ]);
  return Buffer.concat([header, ...blocks, littleEndian([crc32(bytes), 4], [bytes.byteLength % 2 ** 32, 4])]);
};

/** A zstd frame of raw blocks. @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1 */
export const storedZstd = (bytes: Uint8Array): Uint8Array => {
  // One segment, its size in eight bytes, no checksum, no dictionary.
  const header = littleEndian([0xfd2fb528, 4], [0xe0, 1], [bytes.byteLength, 6], [0, 2]);
  const blocks = blocksOf(bytes, 128 * 1024).flatMap(({ block, last }) => [
    littleEndian([(block.byteLength << 3) | (last ? 1 : 0), 3]),
    block,
  ]);
  return Buffer.concat([header, ...blocks]);
};

/** At least one block, also for no bytes: somebody must say that it was the last. */
const blocksOf = (bytes: Uint8Array, size: number): { block: Uint8Array; last: boolean }[] =>
  Array.from({ length: Math.max(1, Math.ceil(bytes.byteLength / size)) }, (_, i) => ({
    block: bytes.subarray(i * size, (i + 1) * size),
    last: (i + 1) * size >= bytes.byteLength,
  }));

const littleEndian = (...fields: readonly (readonly [value: number, width: number])[]): Uint8Array =>
  Buffer.concat(
    fields.map(([value, width]) => {
      const bytes = Buffer.alloc(width);
      bytes.writeUIntLE(value, 0, width);
      return bytes;
    }),
  );
