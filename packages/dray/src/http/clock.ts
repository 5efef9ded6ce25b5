import { setTimeout } from "node:timers/promises";
import { aborted, throwIfAborted } from "../errors.ts";

/** Time and chance, as an argument: tests bring their own. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** @throws DrayError `ABORTED` as soon as the signal is. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

/** Timers hold 31 bits; a longer sleep is slept in parts. */
const longestTimer = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: async (ms, signal) => {
    throwIfAborted(signal);
    try {
      for (let left = ms; left > 0; left -= longestTimer)
        await setTimeout(Math.min(left, longestTimer), undefined, { signal });
    } catch (error) {
      throw signal?.aborted ? aborted(signal) : error;
    }
  },
};
