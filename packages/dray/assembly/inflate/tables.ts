/** Tables by which codes are read: one entry for each form that the next bits can have. */
import { NEXT_CODES } from "./memory";

/**
 * Makes the table of a code. Tells how many bits it is indexed by, or 0 where the lengths are those of no code: of more than there is room for, or of less,
 * which zlib allows where there is one symbol at most, and `whole` not even then.
 */
export function makeTable(lengths: usize, symbols: i32, table: usize, whole: bool): u32 {
  memory.fill(NEXT_CODES, 0, 17 << 2);
  let longest: u32 = 1;
  for (let symbol = 0; symbol < symbols; symbol++) {
    const length = load<u8>(lengths + (symbol as usize)) as u32;
    if (length === 0) continue;
    longest = max(longest, length);
    const counter = NEXT_CODES + ((length as usize) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let next: u32 = 0;
  for (let length: usize = 1; length < 16; length++) {
    const count = load<u32>(NEXT_CODES + (length << 2));
    next <<= 1;
    store<u32>(NEXT_CODES + (length << 2), next);
    next += count;
    if (next > 1 << (length as u32)) return 0;
  }
  if (next < 1 << 15 && (whole || longest > 1)) return 0;
  const size: u32 = 1 << longest;
  memory.fill(table, 0, (size as usize) << 1);
  for (let symbol = 0; symbol < symbols; symbol++) {
    const length = load<u8>(lengths + (symbol as usize)) as u32;
    if (length === 0) continue;
    const counter = NEXT_CODES + ((length as usize) << 2);
    const code = load<u32>(counter);
    store<u32>(counter, code + 1);
    const entry = ((symbol as u32) << 4) | length;
    for (let at = turned(code) >> (16 - length); at < size; at += 1 << length)
      store<u16>(table + ((at as usize) << 1), entry);
  }
  return longest;
}

/** 16 bits, the last one first: that is how they are sent. */
function turned(code: u32): u32 {
  code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
  code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333);
  code = ((code & 0x0f0f) << 4) | ((code >> 4) & 0x0f0f);
  return ((code & 0xff) << 8) | (code >> 8);
}
