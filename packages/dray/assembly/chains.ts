/** Places with the same four bytes, the last one first, linked from each to the one before; and the last place of each three bytes. */

import { sameBytes, WINDOW } from "./match";
import { HEADS, HEADS_OF_3, INPUT, PREVIOUS } from "./memory";

const HASH_BITS: u32 = 15;
const HASH_BITS_OF_3: u32 = 14;
/** Further away, three bytes cost more than the literals. */
const NEAR: u32 = 4096;

/** A match that is longer by one byte alone is none if it lies so many times (a power of two) as far away: that costs more bits than the byte. */
const TOO_MUCH_FARTHER: u32 = 4;

export let foundDistance: u32 = 0;

function headOf(four: u32): usize {
  return HEADS + (((four * 0x9e3779b1) >> (32 - HASH_BITS)) << 1);
}

function headOf3(four: u32): usize {
  return HEADS_OF_3 + ((((four << 8) * 0x9e3779b1) >> (32 - HASH_BITS_OF_3)) << 1);
}

/** Keeps the place, of which four bytes are there. */
export function keep(at: usize): void {
  const four = load<u32>(at);
  store<u16>(headOf3(four), at as u32);
  const head = headOf(four);
  store<u16>(PREVIOUS + ((at & 32767) << 1), load<u16>(head));
  store<u16>(head, at as u32);
}

/**
 * The longest match that is longer than `best`, among so many places, and keeps the place. `enough`: a match that is as long ends the search.
 * Tells its length, or `best`; its distance is `foundDistance`.
 */
export function longest(at: usize, most: u32, best: u32, depth: u32, enough: u32): u32 {
  const four = load<u32>(at);
  const head = headOf(four);
  const head3 = headOf3(four);
  const place = load<u16>(head) as u32;
  const place3 = load<u16>(head3) as u32;
  store<u16>(head3, at as u32);
  store<u16>(head, at as u32);
  store<u16>(PREVIOUS + ((at & 32767) << 1), place);
  let distance = ((at as u32) - place) & 0xffff;
  if (best < 3) {
    const near = ((at as u32) - place3) & 0xffff;
    if (near - 1 < NEAR && (load<u32>(at - near) ^ four) << 8 === 0) {
      best = 3;
      foundDistance = near;
    }
  }
  let floor = max(best, 3);
  if (floor >= most) return best;
  let tail = load<u32>(at + floor - 3);
  let last: u32 = 0;
  while (distance - 1 < WINDOW && distance > last) {
    const before = at - distance;
    if (load<u32>(before + floor - 3) === tail && load<u32>(before) === four) {
      const length = sameBytes(at, before, most);
      if (length > floor && (length > floor + 1 || best < 3 || distance >> TOO_MUCH_FARTHER <= foundDistance)) {
        best = floor = length;
        foundDistance = distance;
        if (length >= enough || length >= most) break;
        tail = load<u32>(at + length - 3);
      }
    }
    if (--depth === 0) break;
    last = distance;
    distance = ((at as u32) - (load<u16>(PREVIOUS + ((before & 32767) << 1)) as u32)) & 0xffff;
  }
  return best;
}
