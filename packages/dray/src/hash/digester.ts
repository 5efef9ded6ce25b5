import type { DigestAlgorithm } from "../oci/index.ts";
import { type AsyncDigester, hashInPlace, largestTurn } from "./in-place.ts";
import { ThreadedHash, threadsHelp } from "./in-thread.ts";
import { hashesFast } from "./speed.ts";

/**
 * A running hash for `size` bytes (or unknown many), computed where it costs least: small content and, on processors with
 * instructions for the algorithm, all of it in place; large content in a thread otherwise, a few blocks in flight.
 */
export const digesterFor = (algorithm: DigestAlgorithm, size?: number): AsyncDigester =>
  (size === undefined || size > largestTurn) && threadsHelp && !hashesFast(algorithm)
    ? new ThreadedHash({ algorithm })
    : hashInPlace(algorithm);

/** From so many bytes on it is worth starting a thread even where hashing is fast. */
const worthThread = 8 * 1024 * 1024;

/** Whether content of this size is read or written by a thread with profit, while this one has much else to do. */
export const worthItsThread = (algorithm: DigestAlgorithm, size: number): boolean =>
  threadsHelp && (size >= worthThread || (size > largestTurn && !hashesFast(algorithm)));
