/**
 * Decompresses DEFLATE (RFC 1951) and stops where a block ends, so that whoever asks knows the bit at which the next one begins: what the
 * runtimes' own zlib does not tell. Input comes in parts of any size.
 */
import {
  DISTANCE_TABLE,
  HISTORY,
  INPUT,
  INPUT_SIZE,
  LENGTHS,
  LITERAL_TABLE,
  OUTPUT_END,
  PAGES,
  RUN_LENGTHS,
  RUN_TABLE,
  WINDOW,
} from "./memory";
import { makeTable } from "./tables";

memory.grow(PAGES - memory.size());

/** Why `inflate` has stopped. */
const NEEDS_INPUT: i32 = 0;
const IS_FULL: i32 = 1;
const BLOCK_ENDED: i32 = 2;
const STREAM_ENDED: i32 = 3;
const IS_DAMAGED: i32 = 4;

/** Bytes that a symbol takes at most, and the head of a block. */
const SYMBOL: usize = 16;
const HEAD: usize = 640;

let at: usize = INPUT;
let end: usize = INPUT;
/** Bytes that were read and lie in the input no more. */
let before: u64 = 0;
let bits: u64 = 0;
let count: u64 = 0;

let isLastBlock = false;
/** 0: before a head; 1: among symbols; 2: among stored bytes. */
let state: i32 = 0;
let storedLeft: u32 = 0;
let literalMask: u64 = 0;
let distanceMask: u64 = 0;

let out: usize = HISTORY;
let madeFrom: usize = HISTORY;
/** Bytes of history that there are. */
let start: usize = HISTORY;
/** A place among what was made, and how many bytes before it were looked back at since. */
let mark: usize = HISTORY;
let reach: usize = 0;

export function begin(): void {
  at = end = INPUT;
  before = bits = count = 0;
  isLastBlock = false;
  state = 0;
  out = madeFrom = start = mark = HISTORY;
  reach = 0;
}

/** Where input is put; at most `room()` bytes, which are then told to `inflate`. */
export function place(): usize {
  giveBack();
  before += (at - INPUT) as u64;
  memory.copy(INPUT, at, end - at);
  end = INPUT + (end - at);
  at = INPUT;
  return end;
}

export function room(): usize {
  return INPUT + INPUT_SIZE - end;
}

/** Bits that were taken in all. */
export function bitsTaken(): f64 {
  return ((before + ((at - INPUT) as u64)) * 8 - count) as f64;
}

/** What the last call made: from here on, so many bytes. */
export function madeAt(): usize {
  return madeFrom;
}
export function madeSize(): usize {
  return out - madeFrom;
}

/** Marks where the result ends now. */
export function setMark(): void {
  mark = out;
  reach = 0;
}
/** How many bytes before the mark what came since looks back at. */
export function reachOfMark(): usize {
  return reach;
}

/** Goes on with so many bytes more; `last`: none will come. */
export function inflate(more: usize, last: bool): i32 {
  end += more;
  if (last) memory.fill(end, 0, HEAD);
  if (out + 512 > OUTPUT_END) {
    memory.copy(HISTORY, out - WINDOW, WINDOW);
    const moved = out - WINDOW - HISTORY;
    // What lies so far back is not looked at any more.
    mark = mark > moved ? mark - moved : 0;
    out = HISTORY + WINDOW;
    start = HISTORY;
  }
  madeFrom = out;
  if (state === 0) {
    if (isLastBlock) return STREAM_ENDED;
    if (!last && end - at < HEAD) return NEEDS_INPUT;
    if (!readHead() || isOver()) return IS_DAMAGED;
  }
  const why = state === 2 ? copyStored() : readSymbols(last);
  if (why !== BLOCK_ENDED) return last && why === NEEDS_INPUT ? IS_DAMAGED : why;
  state = 0;
  return isLastBlock ? STREAM_ENDED : BLOCK_ENDED;
}

/** Whole bytes that were looked at ahead are bytes of the input again. */
function giveBack(): void {
  at -= (count >> 3) as usize;
  count &= 7;
  bits &= (1 << count) - 1;
}

function refill(): void {
  bits |= load<u64>(at) << count;
  at += ((63 - count) >> 3) as usize;
  count |= 56;
}

function take(n: u64): u32 {
  refill();
  const value = (bits & ((1 << n) - 1)) as u32;
  bits >>= n;
  count -= n;
  return value;
}

/** Whether more was taken than there is. */
function isOver(): bool {
  return at - ((count >> 3) as usize) > end;
}

function readHead(): bool {
  isLastBlock = take(1) === 1;
  const kind = take(2);
  if (kind === 0) {
    const odd = count & 7;
    bits >>= odd;
    count -= odd;
    const length = take(16);
    if (take(16) !== (length ^ 0xffff)) return false;
    storedLeft = length;
    state = 2;
    giveBack();
    return true;
  }
  state = 1;
  if (kind === 1) {
    for (let symbol: usize = 0; symbol < 288; symbol++)
      store<u8>(LENGTHS + symbol, symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8);
    memory.fill(LENGTHS + 288, 5, 32);
    return makeTables(288, 32);
  }
  if (kind === 3) return false;
  const literals = (take(5) + 257) as i32;
  const distances = (take(5) + 1) as i32;
  const runs = (take(4) + 4) as i32;
  if (literals > 286 || distances > 30) return false;
  memory.fill(RUN_LENGTHS, 0, 19);
  for (let i = 0; i < runs; i++) store<u8>(RUN_LENGTHS + runSymbol(i), take(3));
  const runBits = makeTable(RUN_LENGTHS, 19, RUN_TABLE, true) as u64;
  if (runBits === 0) return false;
  const all = literals + distances;
  for (let i = 0; i < all; ) {
    refill();
    const entry = load<u16>(RUN_TABLE + (((bits & ((1 << runBits) - 1)) as usize) << 1)) as u64;
    if (entry === 0) return false;
    bits >>= entry & 15;
    count -= entry & 15;
    const symbol = (entry >> 4) as u32;
    if (symbol < 16) {
      store<u8>(LENGTHS + (i as usize), symbol);
      i++;
      continue;
    }
    if (symbol === 16 && i === 0) return false;
    const value = symbol === 16 ? load<u8>(LENGTHS + (i as usize) - 1) : 0;
    const run = (symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7)) as i32;
    if (i + run > all) return false;
    memory.fill(LENGTHS + (i as usize), value, run as usize);
    i += run;
  }
  if (load<u8>(LENGTHS + 256) === 0) return false;
  return makeTables(literals, distances);
}

function makeTables(literals: i32, distances: i32): bool {
  const literalBits = makeTable(LENGTHS, literals, LITERAL_TABLE, false) as u64;
  const distanceBits = makeTable(LENGTHS + (literals as usize), distances, DISTANCE_TABLE, false) as u64;
  literalMask = (1 << literalBits) - 1;
  distanceMask = (1 << distanceBits) - 1;
  return literalBits > 0 && distanceBits > 0;
}

/** The order in which the lengths of the codes of lengths come. */
function runSymbol(place: i32): usize {
  if (place < 3) return (16 + place) as usize;
  if (place === 3) return 0;
  return (place & 1 ? 7 - ((place - 5) >> 1) : 8 + ((place - 4) >> 1)) as usize;
}

function copyStored(): i32 {
  const length = min(min(storedLeft as usize, end - at), OUTPUT_END - out);
  memory.copy(out, at, length);
  at += length;
  out += length;
  storedLeft -= length as u32;
  return storedLeft === 0 ? BLOCK_ENDED : at === end ? NEEDS_INPUT : IS_FULL;
}

function readSymbols(last: bool): i32 {
  while (true) {
    if (out + 512 > OUTPUT_END) return IS_FULL;
    if (!last && end - at < SYMBOL) return NEEDS_INPUT;
    if (at > end && isOver()) return IS_DAMAGED;
    refill();
    const entry = load<u16>(LITERAL_TABLE + (((bits & literalMask) as usize) << 1)) as u64;
    if (entry === 0) return IS_DAMAGED;
    bits >>= entry & 15;
    count -= entry & 15;
    const symbol = (entry >> 4) as u32;
    if (symbol < 256) {
      store<u8>(out++, symbol);
      continue;
    }
    if (symbol === 256) return isOver() ? IS_DAMAGED : BLOCK_ENDED;
    if (symbol > 285) return IS_DAMAGED;
    const length = lengthOf(symbol - 257);
    const word = load<u16>(DISTANCE_TABLE + (((bits & distanceMask) as usize) << 1)) as u64;
    if (word === 0 || word >> 4 > 29) return IS_DAMAGED;
    bits >>= word & 15;
    count -= word & 15;
    const distance = distanceOf((word >> 4) as u32) as usize;
    if (distance > out - start) return IS_DAMAGED;
    if (distance > out - mark) reach = max(reach, distance - (out - mark));
    copyMatch(length, distance);
  }
}

function extraBits(n: u64): u32 {
  const value = (bits & ((1 << n) - 1)) as u32;
  bits >>= n;
  count -= n;
  return value;
}

function lengthOf(symbol: u32): u32 {
  if (symbol < 8) return symbol + 3;
  if (symbol === 28) return 258;
  const extra = (symbol >> 2) - 1;
  return 3 + ((4 + (symbol & 3)) << extra) + extraBits(extra);
}

function distanceOf(symbol: u32): u32 {
  if (symbol < 2) return symbol + 1;
  const extra = (symbol >> 1) - 1;
  return 1 + ((2 + (symbol & 1)) << extra) + extraBits(extra);
}

function copyMatch(length: u32, distance: usize): void {
  const stop = out + length;
  if (distance >= 8) {
    // Up to seven bytes too many, which are written over.
    for (; out < stop; out += 8) store<u64>(out, load<u64>(out - distance));
    out = stop;
  } else while (out < stop) store<u8>(out, load<u8>(out++ - distance));
}
