/** One block of RFC 1951 from its tokens: with codes of its own, with the fixed ones, or as it is, whichever is the shortest. */
import { assignCodes, codeLengths } from "./huffman";
import {
  BLOCK,
  DISTANCE_CODES,
  DISTANCE_COUNTS,
  DISTANCES,
  LENGTH_CODES,
  LENGTHS,
  LITERAL_CODES,
  LITERALS,
  RUN_CODES,
  RUN_COUNTS,
  RUN_LENGTHS,
  RUNS,
} from "./memory";
import { align, bits, filled, out, put, putBytes, resume } from "./output";
import { distanceExtra, distanceSymbol, lengthExtra, lengthSymbol } from "./symbols";

/** The end of a block is a symbol, too. */
const END: usize = 256;
/** No code is longer, so that four literals fit into what is written at once; nothing measurable is lost. */
const LONGEST_LITERAL: i32 = 14;
const DISTANCE_LENGTHS: usize = LENGTHS + 288;
/** Bytes of a stored block at most. */
const STORED: usize = 65535;

/** Writes the bytes between `from` and `to`, whose tokens lie between `tokens` and `tokensEnd`, counted in `BLOCK`. */
export function writeBlock(tokens: usize, tokensEnd: usize, from: usize, to: usize): void {
  store<u32>(BLOCK + (END << 2), 1);
  codeLengths(BLOCK, LITERALS, LONGEST_LITERAL, LENGTHS);
  codeLengths(BLOCK + DISTANCE_COUNTS, DISTANCES, 15, DISTANCE_LENGTHS);
  const literals = usedOf(LENGTHS, LITERALS);
  const distances = usedOf(DISTANCE_LENGTHS, DISTANCES);
  const runsEnd = findRuns(literals, distances);
  codeLengths(RUN_COUNTS, 19, 7, RUN_LENGTHS);
  const runLengths = usedRunLengths();
  const extra = extraBits();
  const own = runBits(runsEnd) + symbolBits() + extra + (runLengths as u32) * 3 + 17;
  const stored = storedBits(to - from);
  const fixed = fixedBits() + extra + 3;
  if (stored <= min(own, fixed)) {
    putStored(from, to);
    return;
  }
  if (fixed <= own) {
    useFixedLengths();
    put(2, 3);
  } else {
    putHeader(literals, distances, runLengths, runsEnd);
  }
  makeCodes();
  putTokens(tokens, tokensEnd, from);
}

/** An empty stored block, which ends at a whole byte: what follows can be read alone. */
export function putFlush(): void {
  put(0, 3);
  align();
  put(0xffff0000, 32);
}

function putStored(from: usize, to: usize): void {
  while (from < to) {
    const length = min(STORED, to - from);
    put(0, 3);
    align();
    put((length as u64) | (((length ^ 0xffff) as u64) << 16), 32);
    putBytes(from, length);
    from += length;
  }
}

function storedBits(length: usize): u32 {
  const blocks = ((length + STORED - 1) / STORED) as u32;
  // The first begins wherever the one before has ended.
  const first = ((10 + (filled as u32)) & 56) - (filled as u32) + 32;
  return first + (blocks - 1) * 40 + ((length as u32) << 3);
}

/** The symbols that are named in a header: all up to the last that is used. */
function usedOf(lengths: usize, symbols: i32): i32 {
  let used = symbols;
  while (load<u8>(lengths + (used as usize) - 1) === 0) used--;
  return max(used, symbols === LITERALS ? 257 : 1);
}

function symbolBits(): u32 {
  let sum: u32 = 0;
  for (let symbol: usize = 0; symbol < 320; symbol++)
    sum += load<u32>(BLOCK + (symbol << 2)) * (load<u8>(LENGTHS + symbol) as u32);
  return sum;
}

function extraBits(): u32 {
  let sum: u32 = 0;
  for (let symbol: u32 = 8; symbol < 28; symbol++)
    sum += load<u32>(BLOCK + ((257 + symbol) << 2)) * lengthExtra(symbol);
  for (let symbol: u32 = 4; symbol < (DISTANCES as u32); symbol++)
    sum += load<u32>(BLOCK + DISTANCE_COUNTS + (symbol << 2)) * distanceExtra(symbol);
  return sum;
}

function fixedLength(symbol: usize): u32 {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : symbol < 288 ? 8 : 5;
}

function fixedBits(): u32 {
  let sum: u32 = 0;
  for (let symbol: usize = 0; symbol < 320; symbol++) sum += load<u32>(BLOCK + (symbol << 2)) * fixedLength(symbol);
  return sum;
}

function useFixedLengths(): void {
  for (let symbol: usize = 0; symbol < 320; symbol++) store<u8>(LENGTHS + symbol, fixedLength(symbol));
}

/** Lengths of codes as they are sent (3.2.7): a symbol in the low byte, the bits behind it in the high one. */
function findRuns(literals: i32, distances: i32): usize {
  memory.fill(RUN_COUNTS, 0, 20 << 2);
  const all = literals + distances;
  let end = RUNS;
  for (let at = 0; at < all; ) {
    const length = lengthAt(at, literals);
    let run = 1;
    while (at + run < all && lengthAt(at + run, literals) === length) run++;
    at += run;
    if (length !== 0) {
      end = addRun(end, length, 0);
      run--;
    }
    while (run >= 3) {
      const most = length !== 0 ? 6 : run > 10 ? 138 : 10;
      const taken = min(run, most);
      end = addRun(end, length !== 0 ? 16 : run > 10 ? 18 : 17, taken - (most === 138 ? 11 : 3));
      run -= taken;
    }
    for (; run > 0; run--) end = addRun(end, length, 0);
  }
  return end;
}

function lengthAt(at: i32, literals: i32): i32 {
  return load<u8>((at < literals ? LENGTHS : DISTANCE_LENGTHS - (literals as usize)) + (at as usize)) as i32;
}

function addRun(end: usize, symbol: i32, extra: i32): usize {
  const counter = RUN_COUNTS + ((symbol as usize) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
  store<u16>(end, symbol | (extra << 8));
  return end + 2;
}

function runExtra(symbol: u32): u32 {
  return symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
}

function runBits(end: usize): u32 {
  let sum: u32 = 0;
  for (let at = RUNS; at < end; at += 2) {
    const symbol = load<u8>(at) as u32;
    sum += (load<u8>(RUN_LENGTHS + (symbol as usize)) as u32) + runExtra(symbol);
  }
  return sum;
}

/** The order in which a header has the lengths of the codes of lengths: 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15. */
function runSymbol(place: i32): usize {
  if (place < 3) return (16 + place) as usize;
  if (place === 3) return 0;
  return (place & 1 ? 7 - ((place - 5) >> 1) : 8 + ((place - 4) >> 1)) as usize;
}

function usedRunLengths(): i32 {
  let used = 19;
  while (used > 4 && load<u8>(RUN_LENGTHS + runSymbol(used - 1)) === 0) used--;
  return used;
}

function putHeader(literals: i32, distances: i32, runLengths: i32, runsEnd: usize): void {
  put(4, 3);
  put(literals - 257, 5);
  put(distances - 1, 5);
  put(runLengths - 4, 4);
  for (let place = 0; place < runLengths; place++) put(load<u8>(RUN_LENGTHS + runSymbol(place)), 3);
  assignCodes(RUN_LENGTHS, 19, RUN_CODES);
  for (let at = RUNS; at < runsEnd; at += 2) {
    const symbol = load<u8>(at) as u32;
    const code = load<u32>(RUN_CODES + ((symbol as usize) << 2));
    put(code & 0xffffff, code >> 24);
    put(load<u8>(at, 1), runExtra(symbol));
  }
}

/** Codes of the lengths in `LENGTHS`; those of lengths of matches with the bits behind them, for each length. */
function makeCodes(): void {
  assignCodes(LENGTHS, 288, LITERAL_CODES);
  assignCodes(DISTANCE_LENGTHS, DISTANCES, DISTANCE_CODES);
  for (let length: u32 = 0; length < 256; length++) {
    const symbol = lengthSymbol(length);
    const code = load<u32>(LITERAL_CODES + ((257 + symbol) << 2));
    const extra = lengthExtra(symbol);
    const behind = (length & ((1 << extra) - 1)) << (code >> 24);
    store<u32>(LENGTH_CODES + (length << 2), (code | behind) + (extra << 24));
  }
}

function putTokens(tokens: usize, end: usize, from: usize): void {
  let at = out;
  let rest = bits;
  let count = filled;
  for (; tokens < end; tokens += 8) {
    const token = load<u64>(tokens);
    let run = token as u32;
    for (; run >= 4; run -= 4, from += 4) {
      const four = load<u32>(from);
      const a = load<u32>(LITERAL_CODES + ((four & 255) << 2));
      const b = load<u32>(LITERAL_CODES + (((four >> 8) & 255) << 2));
      const c = load<u32>(LITERAL_CODES + (((four >> 16) & 255) << 2));
      const d = load<u32>(LITERAL_CODES + ((four >> 24) << 2));
      rest |= ((a & 0xffffff) as u64) << count;
      count += a >> 24;
      rest |= ((b & 0xffffff) as u64) << count;
      count += b >> 24;
      rest |= ((c & 0xffffff) as u64) << count;
      count += c >> 24;
      rest |= ((d & 0xffffff) as u64) << count;
      count += d >> 24;
      store<u64>(at, rest);
      at += (count >> 3) as usize;
      rest >>= count & 56;
      count &= 7;
    }
    if (run > 0) {
      do {
        const a = load<u32>(LITERAL_CODES + ((load<u8>(from++) as usize) << 2));
        rest |= ((a & 0xffffff) as u64) << count;
        count += a >> 24;
      } while (--run > 0);
      store<u64>(at, rest);
      at += (count >> 3) as usize;
      rest >>= count & 56;
      count &= 7;
    }
    const length = ((token >> 32) & 0xffff) as u32;
    if (length === 0) continue;
    const distance = (token >> 48) as u32;
    const code = load<u32>(LENGTH_CODES + ((length - 1) << 2));
    rest |= ((code & 0xffffff) as u64) << count;
    count += code >> 24;
    const symbol = distanceSymbol(distance);
    const word = load<u32>(DISTANCE_CODES + (symbol << 2));
    rest |= ((word & 0xffffff) as u64) << count;
    count += word >> 24;
    const extra = distanceExtra(symbol);
    rest |= ((distance & ((1 << extra) - 1)) as u64) << count;
    count += extra;
    store<u64>(at, rest);
    at += (count >> 3) as usize;
    rest >>= count & 56;
    count &= 7;
    from += length + 2;
  }
  const code = load<u32>(LITERAL_CODES + (END << 2));
  resume(at, rest, count);
  put(code & 0xffffff, code >> 24);
}
