/**
 * A number from a header field: octal text with spaces or zeros around it, or, with the first bit set, a big-endian
 * two's complement number (GNU's base-256). `undefined` for anything else, and for what a double cannot hold exactly.
 */
export const parseNumber = (field: Uint8Array): number | undefined => numberIn(field, 0, field.length);

/** The same of a field in the midst of a block. */
export const numberIn = (block: Uint8Array, at: number, length: number): number | undefined =>
  (block[at] ?? 0) & 0x80 ? parseBase256(block.subarray(at, at + length)) : octalIn(block, at, at + length);

const octalIn = (block: Uint8Array, start: number, limit: number): number | undefined => {
  let [from, end] = [start, limit];
  while (from < end && isBlank(block[from] as number)) from++;
  while (end > from && isBlank(block[end - 1] as number)) end--;
  let value = 0;
  for (let i = from; i < end; i++) {
    const digit = (block[i] as number) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return safe(value);
};

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0;

const parseBase256 = (field: Uint8Array): number | undefined => {
  const negative = ((field[0] as number) & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  field.forEach((byte, i) => {
    // The first bit is the mark of the encoding; the second is the sign, already spread by the start value.
    value = (value << 8n) | BigInt(i === 0 ? (negative ? byte | 0x80 : byte & 0x7f) : byte);
  });
  return value < BigInt(Number.MIN_SAFE_INTEGER) || value > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(value);
};

/** A whole number that is not negative, as `parseNumber` reads it where octal text has no room for it. */
export const base256 = (value: number, length: number): Uint8Array => {
  const field = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i > 0; i--) {
    field[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  field[0] = 0x80;
  return field;
};

const safe = (value: number): number | undefined => (Number.isSafeInteger(value) ? value : undefined);

/** A whole number from a pax record, or `undefined`. */
export const parseDecimal = (text: string): number | undefined =>
  /^[0-9]+$/.test(text) ? safe(Number(text)) : undefined;

/** Seconds from a pax record: `1700000000.123456789`, also negative; or `undefined`. */
export const parseSeconds = (text: string): number | undefined => {
  if (!/^-?[0-9]+(\.[0-9]*)?$/.test(text)) return undefined;
  const seconds = Number(text);
  return Math.abs(seconds) <= Number.MAX_SAFE_INTEGER ? seconds : undefined;
};

/** Whether a number fits a header field of `length` bytes as octal text with its closing zero. */
export const fitsOctal = (value: number, length: number): boolean =>
  Number.isInteger(value) && value >= 0 && value < 8 ** (length - 1);
