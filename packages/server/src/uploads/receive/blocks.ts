/**
 * Memory that the threads see as well: a block goes to a thread and comes back as a number. Transferred buffers would count as
 * new memory wherever they arrive, and collectors work for that more than the threads do.
 */
export interface Block {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** By this the threads know it, once it was sent to them; without one it is sent each time, and then left to the collector. */
  readonly number: number | undefined;
}

/**
 * Bytes of a block: each upload fills one, and a few more are with the threads. Larger ones were no faster.
 */
export const blockSize: number = 256 * 1024;

/** Blocks that are kept; where more are needed at once, they last for one use. */
const mostKept = 64;
const free: Block[] = [];
let made = 0;

/** A block to fill, with whatever was in it before. */
export const takeBlock = (): Block =>
  free.pop() ?? {
    bytes: new Uint8Array(new SharedArrayBuffer(blockSize)),
    number: made < mostKept ? made++ : undefined,
  };

/** Gives a block back. Nobody may use it afterwards. */
export const giveBlock = (block: Block): void => {
  if (block.number !== undefined) free.push(block);
};
