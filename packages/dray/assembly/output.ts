/** Bits on their way out: the lowest first, as RFC 1951 has them. */
import { OUTPUT } from "./memory";

export let out: usize = OUTPUT;
export let bits: u64 = 0;
/** Bits that are not written yet: fewer than 8 between calls. */
export let filled: u64 = 0;

export function beginOutput(): void {
  resume(OUTPUT, 0, 0);
}

/** Goes on where a loop that had all three in its hands has stopped. */
export function resume(at: usize, rest: u64, count: u64): void {
  out = at;
  bits = rest;
  filled = count;
}

/** Up to 48 bits. */
export function put(value: u64, count: u64): void {
  bits |= value << filled;
  filled += count;
  store<u64>(out, bits);
  out += (filled >> 3) as usize;
  bits >>= filled & 56;
  filled &= 7;
}

/** To the next whole byte. */
export function align(): void {
  if (filled > 0) put(0, 8 - filled);
}

export function putBytes(from: usize, length: usize): void {
  memory.copy(out, from, length);
  out += length;
}
