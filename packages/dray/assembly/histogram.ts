/** What symbols cost, by how often they occur: where one block should end and another begin. */

import { logarithm } from "./logarithm";
import { DISTANCE_COUNTS, DISTANCES, HISTOGRAM, LITERALS } from "./memory";
import { distanceExtra, lengthExtra } from "./symbols";

/** Bits that a block takes for its head, without the lengths of its codes, and for each symbol that has one. */
const HEAD_BITS: u32 = 80;
const BITS_PER_SYMBOL: u32 = 3;

export function addHistogram(to: usize, from: usize): void {
  for (let at: usize = 0; at < HISTOGRAM; at += 8) store<u64>(to + at, load<u64>(to + at) + load<u64>(from + at));
}

/** Bits of a block with these counts and so many bytes, by the entropy of its symbols. */
export function blockBits(histogram: usize, bytes: usize): u32 {
  const literals = entropy(histogram, LITERALS);
  const distances = entropy(histogram + DISTANCE_COUNTS, DISTANCES);
  let sum = HEAD_BITS + ((literals + distances) as u32);
  for (let symbol: u32 = 8; symbol < 28; symbol++)
    sum += load<u32>(histogram + ((257 + symbol) << 2)) * lengthExtra(symbol);
  for (let symbol: u32 = 4; symbol < (DISTANCES as u32); symbol++)
    sum += load<u32>(histogram + DISTANCE_COUNTS + (symbol << 2)) * distanceExtra(symbol);
  return min(sum, ((bytes as u32) << 3) + 40);
}

function entropy(counts: usize, symbols: i32): u64 {
  let total: u32 = 0;
  let sum: u64 = 0;
  let used: u64 = 0;
  for (let symbol = 0; symbol < symbols; symbol++) {
    const count = load<u32>(counts + ((symbol as usize) << 2));
    if (count === 0) continue;
    total += count;
    used++;
    sum += (count as u64) * (logarithm(count) as u64);
  }
  if (total === 0) return 0;
  const bits =
    ((total as u64) * (logarithm(total) as u64) - min(sum, (total as u64) * (logarithm(total) as u64))) >> 16;
  return bits + used * BITS_PER_SYMBOL;
}
