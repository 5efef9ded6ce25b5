/** Search in chains: a match is taken unless the next place has a better one. */
import { foundDistance, keep, longest } from "./chains";
import { addMatch, countLiteral, LONGEST } from "./match";
import { endPiece, PIECE_TOKENS, tokensEnd } from "./piece";

/** @param depth places looked at; @param lazy matches shorter than this look at the next place, too; @param enough a match as long ends the search */
export function parseLazy(at: usize, stop: usize, end: usize, depth: u32, lazy: u32, enough: u32): usize {
  let run = at;
  let token = tokensEnd;
  const most = token + PIECE_TOKENS;
  const lastSearch = end - 4;
  while (at < stop && token < most) {
    if (at > lastSearch) {
      countLiteral(load<u8>(at++));
      continue;
    }
    let length = longest(at, min(LONGEST, (end - at) as u32), 2, depth, enough);
    if (length < 3) {
      countLiteral(load<u8>(at++));
      continue;
    }
    let distance = foundDistance;
    // The place before the one that is searched is given up for a better match.
    let searched = at;
    while (length < lazy && searched < lastSearch) {
      searched++;
      const next = longest(searched, min(LONGEST, (end - searched) as u32), length - 1, depth >> 1, enough);
      if (next < length || worth(next, foundDistance) <= worth(length, distance) + 2) break;
      countLiteral(load<u8>(at));
      at = searched;
      length = next;
      distance = foundDistance;
    }
    addMatch(token, (at - run) as u32, length, distance);
    token += 8;
    at += length;
    run = at;
    const lastKept = min(at - 1, lastSearch);
    while (++searched <= lastKept) keep(searched);
  }
  endPiece(token, (at - run) as u32);
  return at;
}

/** Of a match, in quarters of what a byte costs: the further, the more bits. */
function worth(length: u32, distance: u32): i32 {
  return ((length << 2) as i32) - 31 + (clz<u32>(distance) as i32);
}
