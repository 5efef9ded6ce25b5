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
  // Behind these no four bytes are left.
  const searched = min(stop, end - 3);
  while (token < most && at < searched) {
    let four: u32;
    let distance: u32;
    let other: u32;
    let first: u32;
    let second: u32;
    // Literals are most of what there is: one branch for each that both places decide together is guessed better than two.
    for (;;) {
      four = load<u32>(at);
      const slot = slotOf(four);
      const places = load<u32>(slot);
      store<u32>(slot, (places << 16) | ((at as u32) & 0xffff));
      distance = ((at as u32) - places) & 0xffff;
      other = ((at as u32) - (places >> 16)) & 0xffff;
      first = u32(distance - 1 < WINDOW) & u32(load<u32>(at - distance) === four);
      second = u32(other - 1 < WINDOW) & u32(load<u32>(at - other) === four);
      if ((first | second) !== 0) break;
      countLiteral(four & 255);
      if (++at >= searched) break;
    }
    if (at >= searched) break;
    const limit = min(LONGEST, (end - at) as u32);
    let length: u32 = 0;
    if (first !== 0) length = sameBytes(at, at - distance, limit);
    if (second !== 0 && length < limit) {
      const longer = sameBytes(at, at - other, limit);
      if (longer > length) {
        length = longer;
        distance = other;
      }
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
  while (at < stop && token < most) countLiteral(load<u8>(at++));
  endPiece(token, (at - run) as u32);
  return at;
}
