import { bucketsOf, type Family, Histogram } from "@dray/service/observe";
import type { Driver } from "../../storage/index.ts";

/** Seconds; the bounds that the Prometheus client for Go has by default. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * How long a storage takes for what it is asked, as distribution's `registry_storage_action_seconds`. Its words for the actions it
 * times; `Reader` and `Writer` (opening a file, to read and to receive) and `Touch` are ours.
 */
export class StorageMetrics {
  readonly #times = new Map<
    string,
    { readonly labels: { driver: string; action: string }; readonly histogram: Histogram }
  >();

  /** The same driver, with a clock. `name` is the driver's in the configuration: `filesystem`, `inmemory`. */
  timed(driver: Driver, name: string, { now = () => performance.now() }: { now?: () => number } = {}): Driver {
    const action = (word: string): (<T>(work: () => Promise<T>) => Promise<T>) => {
      const { histogram } = this.#of(name, word);
      return async (work) => {
        const started = now();
        try {
          return await work();
        } finally {
          histogram.observe((now() - started) / 1000);
        }
      };
    };
    const [get, put, stat, list] = [action("GetContent"), action("PutContent"), action("Stat"), action("List")];
    const [move, remove, touch] = [action("Move"), action("Delete"), action("Touch")];
    const [reader, writer] = [action("Reader"), action("Writer")];
    const space = driver.space?.bind(driver);
    return {
      read: (path) => get(() => driver.read(path)),
      write: (path, bytes, options) => put(() => driver.write(path, bytes, options)),
      stat: (path) => stat(() => driver.stat(path)),
      list: (path) => list(() => driver.list(path)),
      move: (from, to, options) => move(() => driver.move(from, to, options)),
      remove: (path, options) => remove(() => driver.remove(path, options)),
      open: (path) => reader(() => driver.open(path)),
      receive: (path, algorithm) => writer(() => driver.receive(path, algorithm)),
      touch: (path) => touch(() => driver.touch(path)),
      ...(space === undefined ? {} : { space }),
      close: () => driver.close(),
    };
  }

  families(): Family[] {
    const name = "registry_storage_action_seconds";
    const times = this.#times;
    function* values(): Generator<{ value: number }> {
      for (const { labels, histogram } of times.values()) yield* bucketsOf(name, labels, histogram);
    }
    return [{ name, help: "The number of seconds that the storage action takes", type: "histogram", values }];
  }

  #of(driver: string, action: string): { histogram: Histogram } {
    const key = `${driver} ${action}`;
    let timed = this.#times.get(key);
    if (timed === undefined) {
      timed = { labels: { driver, action }, histogram: new Histogram(bounds) };
      this.#times.set(key, timed);
    }
    return timed;
  }
}
