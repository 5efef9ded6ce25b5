/** The few forms of DER that a certificate is made of. @see https://www.itu.int/rec/T-REC-X.690 */
export type Der = Uint8Array;

const tagged = (tag: number, ...parts: readonly Uint8Array[]): Der => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.byteLength), content]);
};

const lengthOf = (length: number): Uint8Array => {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes = base256(length);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
};

const base256 = (value: number): number[] =>
  value < 256 ? [value] : [...base256(Math.floor(value / 256)), value % 256];

export const sequence = (...parts: readonly Der[]): Der => tagged(0x30, ...parts);
export const set = (...parts: readonly Der[]): Der => tagged(0x31, ...parts);
export const boolean = (value: boolean): Der => tagged(0x01, Uint8Array.of(value ? 0xff : 0));
export const octets = (content: Uint8Array): Der => tagged(0x04, content);
export const bits = (content: Uint8Array, unused = 0): Der => tagged(0x03, Uint8Array.of(unused), content);
export const utf8 = (text: string): Der => tagged(0x0c, Buffer.from(text));
/** A value under a context-specific tag that wraps it. */
export const explicit = (tag: number, content: Der): Der => tagged(0xa0 | tag, content);
/** Bytes under a context-specific tag that replaces their own. */
export const implicit = (tag: number, content: Uint8Array): Der => tagged(0x80 | tag, content);

/** A positive integer of big-endian bytes: a leading zero where the sign bit would be set. */
export const integer = (bytes: Uint8Array): Der =>
  tagged(0x02, (bytes[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes);

/** UTCTime, which X.509 wants until 2049. */
export const time = (date: Date): Der =>
  tagged(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));

/** An object identifier such as `2.5.29.17`. */
export const oid = (text: string): Der => {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return tagged(0x06, Uint8Array.of(first * 40 + second, ...rest.flatMap(base128)));
};

const base128 = (value: number): number[] => {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f));
  return digits;
};
