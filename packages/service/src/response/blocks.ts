import type { Share } from "../memory/index.ts";

/** Memory that downloads read into: large blocks for few streams, small ones for many, used again and again. */
export interface Blocks {
  /** Counts a stream in, which shares the memory with the others until it is closed. */
  open(): BlockStream;
  /** Bytes in use now. */
  readonly used: number;
}

export interface BlockStream {
  /** A block of at most so many bytes, of the size that fits the number of streams now. */
  take(most: number): Block;
  /** Whether there are so many, or so much is in use, that nobody should read ahead. */
  readonly isCrowded: boolean;
  close(): void;
}

export interface Block {
  readonly bytes: Uint8Array;
  /** Gives it back. With `again` nobody looks at it any more and it is used again; without, it is left to the collector. Safe to call twice. */
  free(options: { readonly again: boolean }): void;
}

/** Downloads are fastest with a megabyte; below an eighth of it the calls cost more than the copying. */
const [smallest, largest] = [128 * 1024, 1024 * 1024];
/** Where memory is short, by clients that stand still perhaps, a stream goes on with little. */
const least = 16 * 1024;

/**
 * As large as a quarter of all memory has room for: more would not stay in the processor's caches between reading and sending. Few streams
 * read one block ahead; of many another one's block has been read while one is sent, and a larger block does more than a second one.
 * Where half of all memory is in use each takes a block of 16 KiB, one at a time, so that those who stand still neither hold much nor
 * keep others waiting. What is given back is kept for use again, within that half; blocks of a size that nobody takes now are the first
 * to go.
 */
export const blocksOf = (share: Share): Blocks => {
  /** Free blocks by size. */
  const free = new Map<number, Uint8Array[]>();
  let [streams, waiting] = [0, 0];

  const areFew = (): boolean => 2 * streams * largest <= share.spare / 2;

  const size = (): number => {
    const each = share.spare / 2 / (areFew() ? 2 * streams : streams);
    let fitting = largest;
    while (fitting > smallest && fitting > each) fitting /= 2;
    while (fitting > least && !share.isSpare(fitting)) fitting /= 2;
    return fitting;
  };

  const pop = (whole: number): Uint8Array | undefined => {
    const found = free.get(whole)?.pop();
    if (found !== undefined) waiting -= whole;
    return found;
  };

  const keep = (bytes: Uint8Array): void => {
    const whole = bytes.byteLength;
    const fits = (): boolean => share.isSpare(waiting + whole);
    for (let other = largest; other >= least && !fits(); other /= 2)
      while (other !== whole && !fits() && pop(other) !== undefined);
    const list = free.get(whole) ?? [];
    if (!fits() && (whole > least || list.length >= streams)) return;
    waiting += whole;
    list.push(bytes);
    free.set(whole, list);
  };

  const leave = (): void => {
    streams--;
    while ((free.get(least)?.length ?? 0) > streams && !share.isSpare(waiting)) pop(least);
  };

  const take = (most: number): Block => {
    const whole = size();
    // The last block of a file, and small files, take memory of their own size.
    return most < whole
      ? lent(Buffer.allocUnsafeSlow(most), false)
      : lent(pop(whole) ?? Buffer.allocUnsafeSlow(whole), true);
  };

  const lent = (bytes: Uint8Array, whole: boolean): Block => {
    const held = share.hold(bytes.byteLength);
    let gone = false;
    return {
      bytes,
      free: ({ again }) => {
        if (gone) return;
        gone = true;
        held.free();
        if (again && whole) keep(bytes);
      },
    };
  };

  return {
    open: () => {
      streams++;
      let open = true;
      return {
        take,
        get isCrowded() {
          return !areFew() || !share.isSpare(smallest);
        },
        close: () => {
          if (open) leave();
          open = false;
        },
      };
    },
    get used() {
      return share.used;
    },
  };
};
