import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import { hashInPlace, largestTurn } from "./in-place.ts";
import { hashInThread, threadsHelp } from "./in-thread.ts";
import { hashesFast } from "./speed.ts";

/** A running hash that may be computed elsewhere. */
export interface AsyncDigester {
  /** Adds bytes, which stay the caller's own once this resolves. It resolves when there is room for more: wait for it. */
  update(chunk: Uint8Array): Promise<void>;
  /** As `update`, of a chunk that fills a buffer of its own and that nobody else looks at: this takes the memory over. */
  give(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the hash. Call this or `abandon`, once. */
  digest(): Promise<Digest>;
  /** Lets go of a hash that nobody wants any more. Safe to call after `digest` and more than once. */
  abandon(): void;
}

/**
 * A running hash for `size` bytes (or unknown many), computed where it costs least: small content and, on processors with
 * instructions for the algorithm, all of it in place; large content in a thread otherwise, a few blocks in flight.
 */
export const digesterFor = (algorithm: DigestAlgorithm, size?: number): AsyncDigester =>
  (size !== undefined && size <= largestTurn) || !threadsHelp || hashesFast(algorithm)
    ? hashInPlace(algorithm)
    : hashInThread(algorithm);

/** From so many bytes on it is worth starting a thread even where hashing is fast. */
const worthThread = 8 * 1024 * 1024;

/** Whether content of this size is handled by a thread with profit, while this one has much else to do. */
export const worthItsThread = (size: number): boolean => threadsHelp && size >= worthThread;
