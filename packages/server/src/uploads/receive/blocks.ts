/**
 * Bytes of a block. A session has up to four of them, so 64 parallel uploads hold 64 MiB; larger ones were no faster.
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
