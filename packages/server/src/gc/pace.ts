import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds of work before a rest. */
const slice = 4;
/** Milliseconds of one rest at most. */
const longestRest = 100;

/** Keeps background work to a share of the time, in slices so short that no request notices them. */
export class Pace {
  readonly #rests: number;
  readonly #signal: AbortSignal | undefined;
  #begun = performance.now();

  /** @param share of the time that may be worked: 1 only lets others in between */
  constructor(share: number, signal?: AbortSignal) {
    this.#rests = (1 - share) / share;
    this.#signal = signal;
  }

  /**
   * Call it after each little piece of work, never while holding anything.
   * @throws the signal's reason
   */
  async turn(): Promise<void> {
    this.#signal?.throwIfAborted();
    const worked = performance.now() - this.#begun;
    if (worked < slice) return;
    // An end of the rest before its time is noticed below.
    await sleep(Math.min(longestRest, worked * this.#rests), undefined, { signal: this.#signal }).catch(() => {});
    this.#signal?.throwIfAborted();
    this.#begun = performance.now();
  }
}
