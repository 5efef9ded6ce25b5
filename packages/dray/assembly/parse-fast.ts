/** The fastest search: the two last places of each hash of four bytes, and the longer of their matches is taken. */

import { addMatch, countLiteral, LONGEST, sameBytes, WINDOW } from "./match";
import { HEADS } from "./memory";
import { endPiece, PIECE_TOKENS, tokensEnd } from "./piece";

const HASH_BITS: u32 = 15;

function slotOf(four: u32): usize {
  return HEADS + (((four * 0x9e3779b1) >> (32 - HASH_BITS)) << 2);
}

/** Parses from `at` until the piece is full or `stop` is reached; tells where it stopped. */
export function parseFast(at: usize, stop: usize, end: usize): usize {
  let run = at;
  let token = tokensEnd;
  const most = token + PIECE_TOKENS;
  const lastSearch = end - 4;
  while (at < stop && token < most) {
    if (at > lastSearch) {
      countLiteral(load<u8>(at++));
      continue;
    }
    const four = load<u32>(at);
    const slot = slotOf(four);
    const places = load<u32>(slot);
    store<u32>(slot, (places << 16) | ((at as u32) & 0xffff));
    let distance = ((at as u32) - places) & 0xffff;
    let length: u32 = 0;
    const limit = min(LONGEST, (end - at) as u32);
    if (distance - 1 < WINDOW && load<u32>(at - distance) === four) length = sameBytes(at, at - distance, limit);
    const other = ((at as u32) - (places >> 16)) & 0xffff;
    if (other - 1 < WINDOW && length < limit && load<u32>(at - other) === four) {
      const longer = sameBytes(at, at - other, limit);
      if (longer > length) {
        length = longer;
        distance = other;
      }
    }
    if (length === 0) {
      countLiteral(four & 255);
      at++;
      continue;
    }
    addMatch(token, (at - run) as u32, length, distance);
    token += 8;
    const next = at + length;
    const lastInsert = min(next - 1, lastSearch);
    while (++at <= lastInsert) {
      const inner = slotOf(load<u32>(at));
      store<u32>(inner, (load<u32>(inner) << 16) | ((at as u32) & 0xffff));
    }
    at = next;
    run = next;
  }
  endPiece(token, (at - run) as u32);
  return at;
}
