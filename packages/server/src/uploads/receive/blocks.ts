/**
 * Memory that the threads see as well: a block goes to a thread and comes back as a number. Transferred buffers would count as
 * new memory wherever they arrive, and collectors work for that more than the threads do.
 */
export interface Block {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** By this the threads know it, once it was sent to them. Never used for another. */
  readonly number: number;
}

/**
 * Bytes of a block: each upload fills one, and a few more are with the threads. Larger ones were no faster.
 */
export const blockSize: number = 256 * 1024;

/** Free blocks kept for the next one who needs some; more than these are left to the collector. */
const mostFree = 64;
const free: Block[] = [];
let made = 0;

/** A block to fill, with whatever was in it before. */
export const takeBlock = (): Block =>
  free.pop() ?? { bytes: new Uint8Array(new SharedArrayBuffer(blockSize)), number: ++made };

/** Keeps a block for the next one; `false`: it is one too many, to be forgotten. */
export const keepBlock = (block: Block): boolean => {
  const kept = free.length < mostFree;
  if (kept) free.push(block);
  return kept;
};
