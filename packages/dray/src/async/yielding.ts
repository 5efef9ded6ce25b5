import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { throwIfAborted } from "../errors.ts";

export interface YieldingOptions {
  /** Milliseconds of work before a rest; default 2. */
  readonly slice?: number;
  /** Part of the time that may be worked. Default 1, which only lets others in between. */
  readonly share?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds of one rest at most. */
const longestRest = 100;

/**
 * Cooperative scheduling: keeps background work to a share of the time, in slices so short that no request notices them. Nothing
 * stays behind when the work ends, no timer and no handle.
 */
export class Yielding {
  readonly #slice: number;
  readonly #rests: number;
  readonly #signal: AbortSignal | undefined;
  #begun = performance.now();

  constructor({ slice = 2, share = 1, signal }: YieldingOptions = {}) {
    this.#slice = slice;
    this.#rests = (1 - share) / share;
    this.#signal = signal;
  }

  /**
   * Call it after each little piece of work, never while holding anything.
   * @throws DrayError `ABORTED`
   */
  async turn(): Promise<void> {
    throwIfAborted(this.#signal);
    const worked = performance.now() - this.#begun;
    if (worked < this.#slice) return;
    // An end of the rest before its time is noticed below.
    if (this.#rests === 0) await turn();
    else await sleep(Math.min(longestRest, worked * this.#rests), undefined, { signal: this.#signal }).catch(() => {});
    throwIfAborted(this.#signal);
    this.#begun = performance.now();
  }
}
