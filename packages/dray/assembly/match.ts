/** What all searches share. */
import { DISTANCE_COUNTS, PIECE } from "./memory";
import { distanceSymbol, lengthSymbol } from "./symbols";

/** How far back a match may lie. */
export const WINDOW: u32 = 32768;
/** Bytes of a match at most. */
export const LONGEST: u32 = 258;

/** How many bytes are the same, of which the first four are. */
export function sameBytes(at: usize, before: usize, most: u32): u32 {
  let same: u32 = 4;
  while (same < most) {
    const differ = load<u64>(at + same) ^ load<u64>(before + same);
    if (differ !== 0) return min(same + ((ctz<u64>(differ) >> 3) as u32), most);
    same += 8;
  }
  return most;
}

export function countLiteral(byte: u32): void {
  const counter = PIECE + (byte << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Writes and counts a token: literals that are counted already, and a match. */
export function addMatch(token: usize, literals: u32, length: u32, distance: u32): void {
  store<u64>(token, (literals as u64) | (((length - 2) as u64) << 32) | (((distance - 1) as u64) << 48));
  const lengths = PIECE + ((257 + lengthSymbol(length - 3)) << 2);
  store<u32>(lengths, load<u32>(lengths) + 1);
  const distances = PIECE + DISTANCE_COUNTS + (distanceSymbol(distance - 1) << 2);
  store<u32>(distances, load<u32>(distances) + 1);
}
