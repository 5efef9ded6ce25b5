/**
 * DEFLATE (RFC 1951) of one segment at a time: blocks of which none is the last, then an empty stored one. Nothing is known of other segments,
 * so that they can be compressed side by side, and read alone. All is integers: the bytes depend on input and level alone.
 */
import { putFlush, writeBlock } from "./block";
import { DENSE_PIECE, isDense } from "./dense";
import { addHistogram, blockBits } from "./histogram";
import { depthOf, enoughOf, lazyOf } from "./levels";
import { fillLogarithms } from "./logarithm";
import { countLiteral } from "./match";
import { BLOCK, BOTH, HEADS, HISTOGRAM, INPUT, OUTPUT, PAGES, PIECE, SEEN_END, TOKENS, TOKENS_END } from "./memory";
import { beginOutput, out } from "./output";
import { parseFast } from "./parse-fast";
import { parseLazy } from "./parse-lazy";
import { beginPiece, endPiece, PIECE_TOKENS, tokensEnd } from "./piece";

memory.grow(PAGES - memory.size());
fillLogarithms();

/** Where the segment is put. */
export const input: usize = INPUT;
/** Where the result lies. */
export const output: usize = OUTPUT;

/** Bytes of a piece at most. */
const PIECE_BYTES: usize = 16384;

/** Compresses so many bytes at a level from 1 to 9; tells how many they became. */
export function compress(length: usize, level: i32): usize {
  memory.fill(HEADS, 0, SEEN_END - HEADS);
  memory.fill(BLOCK, 0, HISTOGRAM);
  beginOutput();
  const depth = depthOf(level);
  const lazy = lazyOf(level);
  const enough = enoughOf(level);
  const end = INPUT + length;
  let at = INPUT;
  let blockAt = INPUT;
  let blockCost: u32 = 0;
  beginPiece(TOKENS);
  while (at < end) {
    const pieceAt = at;
    const pieceTokens = tokensEnd;
    memory.fill(PIECE, 0, HISTOGRAM);
    if (isDense(at, end)) at = takeAsItIs(at, end);
    else if (level === 1) at = parseFast(at, min(at + PIECE_BYTES, end), end);
    else at = parseLazy(at, min(at + PIECE_BYTES, end), end, depth, lazy, enough);
    const pieceCost = blockBits(PIECE, at - pieceAt);
    if (pieceAt === blockAt) {
      memory.copy(BLOCK, PIECE, HISTOGRAM);
      blockCost = pieceCost;
      continue;
    }
    memory.copy(BOTH, BLOCK, HISTOGRAM);
    addHistogram(BOTH, PIECE);
    const bothCost = blockBits(BOTH, at - blockAt);
    if (bothCost <= blockCost + pieceCost && tokensEnd + PIECE_TOKENS + 8 <= TOKENS_END) {
      memory.copy(BLOCK, BOTH, HISTOGRAM);
      blockCost = bothCost;
      continue;
    }
    writeBlock(TOKENS, pieceTokens, blockAt, pieceAt);
    memory.copy(TOKENS, pieceTokens, tokensEnd - pieceTokens);
    beginPiece(TOKENS + (tokensEnd - pieceTokens));
    memory.copy(BLOCK, PIECE, HISTOGRAM);
    blockCost = pieceCost;
    blockAt = pieceAt;
  }
  if (blockAt < end) writeBlock(TOKENS, tokensEnd, blockAt, end);
  putFlush();
  return out - OUTPUT;
}

function takeAsItIs(at: usize, end: usize): usize {
  const stop = min(at + DENSE_PIECE, end);
  for (let from = at; from < stop; from++) countLiteral(load<u8>(from));
  endPiece(tokensEnd, (stop - at) as u32);
  return stop;
}
