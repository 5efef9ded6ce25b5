/** Logarithms to the base 2 with 16 bits of fraction, from integers alone: engines round floating point each in their own way. */
import { FRACTIONS } from "./memory";

/** Fractions of 1 to 2 in 256 steps, by squaring: each time the result reaches 2, the next bit is one. */
export function fillLogarithms(): void {
  for (let i: u64 = 0; i < 256; i++) {
    let x: u64 = (256 + i) << 23;
    let fraction: u32 = 0;
    for (let bit = 0; bit < 16; bit++) {
      x = (x * x) >> 31;
      fraction <<= 1;
      if (x >= 1 << 32) {
        x >>= 1;
        fraction |= 1;
      }
    }
    store<u32>(FRACTIONS + ((i as usize) << 2), fraction);
  }
}

/** Of a number from 1 to 2^31. */
export function logarithm(n: u32): u32 {
  const zeros = clz<u32>(n);
  const fraction = load<u32>(FRACTIONS + (((((n << zeros) >> 23) & 255) as usize) << 2));
  return ((31 - zeros) << 16) | fraction;
}
