import type { Cancel, ReadOptions } from "../content/index.ts";

/** A blob that is read in parts. */
export interface Ranges {
  /** Bytes in all. */
  readonly size: number;
  /** No more than so many bytes from a place on. */
  read(offset: number, length: number, options?: Cancel): AsyncIterable<Uint8Array>;
}

/** Parts of content, of which a store is asked for no more than is wanted and may give more. */
export const rangesOf = (
  size: number,
  read: (options: Pick<ReadOptions, "offset" | "length" | "signal">) => AsyncIterable<Uint8Array>,
): Ranges => ({
  size,
  async *read(offset, length, options = {}) {
    let left = Math.min(length, size - offset);
    if (left <= 0) return;
    for await (const chunk of read({ ...options, offset, length: left })) {
      const part = chunk.subarray(0, left);
      left -= part.byteLength;
      yield part;
      if (left === 0) return;
    }
  },
});
