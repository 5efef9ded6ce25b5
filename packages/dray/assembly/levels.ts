/** What the levels are. A change of any number changes the digests of all that is compressed: see `deflateFormat`. */

/** Places of a hash that are looked at. Level 1 has a search of its own. */
export function depthOf(level: i32): u32 {
  if (level < 5) return level === 2 ? 3 : level === 3 ? 4 : 6;
  return level === 5 ? 8 : level === 6 ? 12 : level === 7 ? 24 : level === 8 ? 64 : 512;
}

/** A match as long is taken without a look at the next place. */
export function lazyOf(level: i32): u32 {
  if (level < 5) return level === 2 ? 0 : level === 3 ? 8 : 12;
  return level === 5 ? 16 : level === 6 ? 24 : level === 7 ? 32 : 258;
}

/** A match as long ends a search. */
export function enoughOf(level: i32): u32 {
  if (level < 5) return level === 2 ? 24 : level === 3 ? 32 : 48;
  return level < 7 ? 64 : level === 7 ? 128 : 258;
}
