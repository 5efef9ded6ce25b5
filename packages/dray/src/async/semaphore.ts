import { aborted } from "../errors.ts";

/** FIFO counting semaphore; not re-entrant: what runs inside and asks for another permit may wait for ever. */
export class Semaphore {
  readonly #permits: number;
  #free: number;
  readonly #waiting = new Map<() => void, number>();

  constructor(permits: number) {
    this.#permits = permits;
    this.#free = permits;
  }

  /** How many wait for a permit. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs `work` with a permit, or with as many as it weighs; what weighs more than all runs with all of them, alone.
   * @throws DrayError `ABORTED` when the signal ends the wait
   */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>, weight = 1): Promise<T> {
    const permits = Math.min(weight, this.#permits);
    await this.#enter(signal, permits);
    try {
      return await work();
    } finally {
      this.#free += permits;
      this.#admit();
    }
  }

  async #enter(signal: AbortSignal | undefined, permits: number): Promise<void> {
    if (signal?.aborted) throw aborted(signal);
    if (this.#waiting.size === 0 && this.#free >= permits) {
      this.#free -= permits;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const admit = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(admit);
        reject(aborted(signal as AbortSignal));
        // Who waited behind it may weigh less.
        this.#admit();
      };
      this.#waiting.set(admit, permits);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  #admit(): void {
    for (const [admit, permits] of this.#waiting) {
      if (permits > this.#free) return;
      this.#free -= permits;
      this.#waiting.delete(admit);
      admit();
    }
  }
}
