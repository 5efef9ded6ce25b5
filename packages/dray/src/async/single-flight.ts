import { aborted, throwIfAborted } from "../errors.ts";

/** Runs something once per key at a time, for everybody who asks meanwhile. */
export type SingleFlight<V> = (
  key: string,
  run: (signal: AbortSignal) => Promise<V>,
  signal: AbortSignal | undefined,
) => Promise<V>;

interface Flight<V> {
  readonly result: Promise<V>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * One run in flight per key. Each who waits can be cancelled alone; the run itself is cancelled when nobody waits any
 * more, and whoever asks after that begins a new one instead of inheriting the cancellation.
 */
export const singleFlight = <V>(): SingleFlight<V> => {
  const flights = new Map<string, Flight<V>>();

  const begin = (key: string, run: (signal: AbortSignal) => Promise<V>): Flight<V> => {
    const controller = new AbortController();
    const result = run(controller.signal);
    const flight: Flight<V> = { result, controller, waiting: 0 };
    const land = (): void => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    // Also marks a failure as seen: everybody may have left.
    result.then(land, land);
    flights.set(key, flight);
    return flight;
  };

  return async (key, run, signal) => {
    throwIfAborted(signal);
    const flight = flights.get(key) ?? begin(key, run);
    flight.waiting++;
    try {
      return await unlessAborted(flight.result, signal);
    } finally {
      flight.waiting--;
      if (flight.waiting === 0 && flights.get(key) === flight) {
        flights.delete(key);
        flight.controller.abort();
      }
    }
  };
};

/** A promise's outcome, or the abortion of a signal, whichever comes first. */
export const unlessAborted = async <V>(promise: Promise<V>, signal: AbortSignal | undefined): Promise<V> => {
  if (signal === undefined) return promise;
  throwIfAborted(signal);
  let stop: (() => void) | undefined;
  const abortion = new Promise<never>((_resolve, reject) => {
    stop = () => reject(aborted(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, abortion]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
};
