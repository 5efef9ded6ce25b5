import { systemClock } from "dray/http";

/** Milliseconds below which nobody rests: timers are no finer. */
const least = 5;

/** A bound on bytes in a second. What was not used is not saved up. */
export class Pace {
  readonly #rate: number;
  readonly #signal: AbortSignal | undefined;
  #due = performance.now();

  /** @param rate bytes in a second; 0: no bound */
  constructor(rate: number, signal?: AbortSignal) {
    this.#rate = rate;
    this.#signal = signal;
  }

  /** Rests until these bytes may have been read. @throws DrayError `ABORTED` */
  async spend(bytes: number): Promise<void> {
    if (this.#rate === 0) return;
    this.#due = Math.max(this.#due, performance.now()) + (bytes / this.#rate) * 1000;
    const rest = this.#due - performance.now();
    if (rest > least) await systemClock.sleep(rest, this.#signal);
  }
}
