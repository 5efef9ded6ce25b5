import { createCipheriv, createHash } from "node:crypto";

const cipherBlock = 16;

/**
 * `length` bytes of the endless stream that belongs to a seed, from `offset` on. The same everywhere and for ever, and
 * incompressible: it is AES-CTR over zeros, where the counter makes any offset reachable at once.
 */
export const seededBytes = (seed: string | number, length: number, offset = 0): Uint8Array<ArrayBuffer> => {
  const skip = offset % cipherBlock;
  const counter = Buffer.alloc(cipherBlock);
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / cipherBlock)), 8);
  const key = createHash("sha256").update(String(seed)).digest();
  const stream = createCipheriv("aes-256-ctr", key, counter).update(Buffer.alloc(skip + length));
  // A buffer of its own, so that whoever gets it may transfer it away.
  return new Uint8Array(stream.subarray(skip));
};
