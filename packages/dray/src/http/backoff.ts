import { refuseNumber } from "../numbers.ts";

/** How delays grow. Milliseconds. */
export interface BackoffOptions {
  /** Delay before the second attempt, in milliseconds. Default 500. */
  readonly first?: number;
  /** What each further delay is multiplied by. Default 2. */
  readonly factor?: number;
  /** No delay is longer. Default 30,000. */
  readonly longest?: number;
  /** Share of the delay that is left to chance, so that clients that failed together do not come back together. Default 0.5. */
  readonly jitter?: number;
}

/** Milliseconds to wait after an attempt that failed. `attempt` counts from 1; `chance` is at least 0 and below 1. */
export type Backoff = (attempt: number, chance: number) => number;

/**
 * The delay after attempt: it grows exponentially, and chance takes up to `jitter` of it away.
 * @example [1, 2, 3].map((attempt) => backoff()(attempt, 0)) // [500, 1000, 2000]
 */
export const backoff = ({ first = 500, factor = 2, longest = 30_000, jitter = 0.5 }: BackoffOptions = {}): Backoff => {
  refuseNumber("first", first, { from: 0, fractions: true });
  refuseNumber("factor", factor, { from: 0, fractions: true });
  refuseNumber("longest", longest, { from: 0, fractions: true });
  refuseNumber("jitter", jitter, { from: 0, to: 1, fractions: true });
  return (attempt, chance) => Math.round(Math.min(longest, first * factor ** (attempt - 1)) * (1 - jitter * chance));
};
