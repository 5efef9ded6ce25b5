import { createHash } from "node:crypto";
import type { DigestAlgorithm } from "../oci/index.ts";

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
