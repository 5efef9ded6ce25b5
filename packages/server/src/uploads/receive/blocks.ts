/**
 * Bytes of a block: each upload fills one, and a few more are with the threads. Larger ones were no faster.
 */
export const blockSize: number = 256 * 1024;

/** Free blocks kept for the next one who needs some; more than these are left to the collector. */
const mostFree = 64;
const free: ArrayBuffer[] = [];

/** A block to fill, with whatever was in it before. */
export const takeBlock = (): Uint8Array<ArrayBuffer> => new Uint8Array(free.pop() ?? new ArrayBuffer(blockSize));

/** Gives a block back. Nobody may use it afterwards. */
export const giveBlock = (buffer: ArrayBuffer): void => {
  if (buffer.byteLength === blockSize && free.length < mostFree) free.push(buffer);
};
