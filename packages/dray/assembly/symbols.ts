/** What RFC 1951, 3.2.5 makes of a length and of a distance: a symbol, and bits behind it. */

/** Of a length less 3: the symbol less 257. */
export function lengthSymbol(length: u32): u32 {
  if (length < 8) return length;
  if (length === 255) return 28;
  const extra = 29 - clz<u32>(length);
  return (extra << 2) + (length >> extra);
}

/** Bits behind a symbol less 257. */
export function lengthExtra(symbol: u32): u32 {
  return symbol < 8 || symbol === 28 ? 0 : (symbol >> 2) - 1;
}

/** Of a distance less 1. */
export function distanceSymbol(distance: u32): u32 {
  if (distance < 2) return distance;
  const high = 31 - clz<u32>(distance);
  return (high << 1) + ((distance >> (high - 1)) & 1);
}

export function distanceExtra(symbol: u32): u32 {
  return symbol < 2 ? 0 : (symbol >> 1) - 1;
}
