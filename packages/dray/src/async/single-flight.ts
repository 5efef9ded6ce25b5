import { throwIfAborted } from "../errors.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What the work of a flight may look at. */
export interface Flight {
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

interface Running<V> {
  readonly result: Promise<V>;
  readonly cancel: AbortController;
  waiting: number;
}

/**
 * Single flight: one run per key at a time, for everybody who asks meanwhile. Each who waits can be cancelled alone; the run itself
 * is cancelled when nobody waits any more, and whoever asks after that begins a new one instead of inheriting the cancellation.
 */
export class SingleFlight<V> {
  readonly #flights = new Map<string, Running<V>>();

  /** @throws whatever `work` throws; DrayError `ABORTED` when the signal ends the wait */
  async run(key: string, work: (flight: Flight) => Promise<V>, signal?: AbortSignal): Promise<V> {
    throwIfAborted(signal);
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiting++;
    try {
      return await (signal === undefined ? flight.result : unlessAborted(flight.result, signal));
    } finally {
      flight.waiting--;
      if (flight.waiting === 0 && this.#flights.get(key) === flight) {
        this.#flights.delete(key);
        flight.cancel.abort();
      }
    }
  }

  #begin(key: string, work: (flight: Flight) => Promise<V>): Running<V> {
    const cancel = new AbortController();
    const result = (async () => work({ signal: cancel.signal }))();
    const land = (): void => {
      if (this.#flights.get(key)?.cancel === cancel) this.#flights.delete(key);
    };
    // Also marks a failure as seen: everybody may have left.
    result.then(land, land);
    const running = { result, cancel, waiting: 0 };
    this.#flights.set(key, running);
    return running;
  }
}
