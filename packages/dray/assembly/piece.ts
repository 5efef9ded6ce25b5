/** The piece that is parsed: its tokens, which lie behind those of the block that it may become part of. */
import { TOKENS } from "./memory";

/** Bytes of the tokens of a piece at most. */
export const PIECE_TOKENS: usize = 4096 << 3;

export let tokensEnd: usize = TOKENS;

export function beginPiece(at: usize): void {
  tokensEnd = at;
}

/** Ends the piece's tokens; literals behind the last match become a token without one. */
export function endPiece(token: usize, literals: u32): void {
  if (literals > 0) {
    store<u64>(token, literals as u64);
    token += 8;
  }
  tokensEnd = token;
}
