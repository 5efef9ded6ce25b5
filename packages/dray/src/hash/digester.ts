import { createHash } from "node:crypto";
import type { DigestAlgorithm } from "../oci/index.ts";
import { type AsyncDigester, hashInPlace, largestTurn } from "./in-place.ts";
import { ThreadedHash, threadsHelp } from "./in-thread.ts";

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

/** Bytes per millisecond above which handing bytes to a thread costs more than it saves: about 1 GB/s. */
const fast = 1_000_000;

const known = new Map<DigestAlgorithm, boolean>();

/**
 * Whether this processor hashes fast, as those with SHA instructions do (2 GB/s against 0.4). Measured once, in less than a
 * millisecond: the names of processors say nothing under emulation, and the crypto library may not use what is there.
 */
export const hashesFast = (algorithm: DigestAlgorithm): boolean => {
  const before = known.get(algorithm);
  if (before !== undefined) return before;
  const answer = hashSpeed(algorithm) >= fast;
  known.set(algorithm, answer);
  return answer;
};

/** Bytes per millisecond: the best of three, since a thread may be interrupted but never runs too fast. */
const hashSpeed = (algorithm: DigestAlgorithm): number => {
  const sample = new Uint8Array(64 * 1024);
  createHash(algorithm).update(sample.subarray(0, 1024)).digest();
  let best = 0;
  for (let i = 0; i < 3; i++) {
    const begin = performance.now();
    createHash(algorithm).update(sample).digest();
    best = Math.max(best, sample.byteLength / (performance.now() - begin));
  }
  return best;
};
