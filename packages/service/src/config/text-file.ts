/**
 * The text of a file that people write, without the mark that editors put before it: UTF-8, or UTF-16, as PowerShell's `>` writes.
 */
export const textOf = (bytes: Uint8Array): string => {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16le").decode(swapped(bytes));
  return new TextDecoder().decode(bytes);
};

/** Not every runtime knows the other order of bytes. */
const swapped = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes.subarray(0, bytes.byteLength & ~1)).swap16();
