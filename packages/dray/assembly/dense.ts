/** Whether bytes have been compressed or encrypted already, by how evenly they are spread: to search those takes thirteen times as long and finds nothing. */
import { DENSITY } from "./memory";

/** Bytes that are looked at together. */
export const DENSE_PIECE: usize = 32768;
const SAMPLES: usize = 8;
const SAMPLE: usize = 512;
/**
 * Of bytes that are evenly spread the squares of their counts sum up to n * n / 256 + n. For each byte more so many are borne; text has
 * hundreds of times that.
 */
const BORNE: u32 = 2;

export function isDense(at: usize, end: usize): bool {
  if (end - at < DENSE_PIECE) return false;
  memory.fill(DENSITY, 0, 256 << 2);
  for (let sample: usize = 0; sample < SAMPLES; sample++) {
    const from = at + sample * (DENSE_PIECE / SAMPLES);
    for (let i: usize = 0; i < SAMPLE; i++) {
      const counter = DENSITY + ((load<u8>(from + i) as usize) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
  }
  let squares: u32 = 0;
  for (let byte: usize = 0; byte < 256; byte++) {
    const count = load<u32>(DENSITY + (byte << 2));
    squares += count * count;
  }
  const all = (SAMPLES * SAMPLE) as u32;
  return squares <= (all * all) / 256 + all * BORNE;
}
