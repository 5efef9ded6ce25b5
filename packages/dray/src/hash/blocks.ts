/** Bytes of a block: large enough that a hand-over costs nothing against its content, small enough to have many. */
export const blockSize: number = 256 * 1024;

/** Free blocks kept for the next one who needs some; more than these are left to the collector. */
const mostFree = 32;
const free: ArrayBuffer[] = [];

/**
 * A block to fill, of `blockSize` bytes of whatever was in it before. Bulk content moves through the same few blocks: fresh
 * memory for each would cost more time than hashing does, and wait for the collector in hundreds of megabytes.
 */
export const takeBlock = (): Uint8Array<ArrayBuffer> => new Uint8Array(free.pop() ?? new ArrayBuffer(blockSize));

/** Gives a block back. Nobody may use it afterwards. */
export const giveBlock = (buffer: ArrayBuffer): void => {
  if (buffer.byteLength === blockSize && free.length < mostFree) free.push(buffer);
};
