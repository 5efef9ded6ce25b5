import { setImmediate as nextTurn } from "node:timers/promises";
import { type Digest, type DigestAlgorithm, digester } from "../oci/index.ts";

/** A running hash that may be computed elsewhere. */
export interface AsyncDigester {
  /** Adds bytes, which stay the caller's own once this resolves. It resolves when there is room for more: wait for it. */
  update(chunk: Uint8Array): Promise<void>;
  /** Ends the hash. Call this or `abandon`, once. */
  digest(): Promise<Digest>;
  /** Lets go of a hash that nobody wants any more. Safe to call after `digest` and more than once. */
  abandon(): void;
}

/** Bytes hashed at most before other work has its turn: half a millisecond with hash instructions, three without. */
export const largestTurn: number = 1024 * 1024;

/** A hash on the thread that asks for it. */
export const hashInPlace = (algorithm: DigestAlgorithm): AsyncDigester => {
  const hash = digester(algorithm);
  let inTurn = 0;
  const update = async (chunk: Uint8Array): Promise<void> => {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + largestTurn - inTurn);
      hash.update(part);
      at += part.byteLength;
      inTurn += part.byteLength;
      if (inTurn < largestTurn) continue;
      // Chunks that are there already resolve without leaving this turn of the event loop: timers and sockets would starve.
      await nextTurn();
      inTurn = 0;
    }
  };
  return { update, digest: async () => hash.digest(), abandon: () => {} };
};
