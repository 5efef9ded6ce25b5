import { Semaphore } from "../async/index.ts";

const KiB = 1024;
/** A body holds about so much on its way from end to end, however large it is. */
const heaviest = 1024 * KiB;
/** A request costs something, too. */
const lightest = 128 * KiB;
/** Bodies of the heaviest at the same time. */
const usual = 4;

/**
 * Slots for bodies in flight, by what they hold in memory: four large ones, or up to 32 small ones, whose time is spent on waiting for
 * answers. With a count of one's own they are counted, whatever their size.
 */
export class Slots {
  readonly #semaphore: Semaphore;
  readonly #counts: boolean;

  constructor(count: number | undefined) {
    this.#counts = count !== undefined;
    this.#semaphore = new Semaphore(count ?? usual * heaviest);
  }

  /** Runs what moves so many bytes. @throws DrayError `ABORTED` when the signal ends the wait for a slot */
  run<T>(signal: AbortSignal, bytes: number, work: () => Promise<T>): Promise<T> {
    const weight = this.#counts ? 1 : Math.min(heaviest, Math.max(lightest, bytes));
    return this.#semaphore.run(signal, work, weight);
  }
}
