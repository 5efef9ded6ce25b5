import { sortedInTurns } from "./sorted-in-turns.ts";
import { Yielding } from "./yielding.ts";

/** Keys that are taken or given back in one turn of the event loop. */
const atOnce = 2000;

const others = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/**
 * Fair read-write lock for each key; not re-entrant. Many keys are taken by one call and in one order, so that two calls never wait
 * for each other; each key is served in order of arrival, so that a stream of readers never starves a writer.
 */
export class KeyedRwLock {
  readonly #entries = new Map<string, Entry>();

  /**
   * Runs `work` while nobody holds the `shared` keys exclusively, and nobody else holds the `exclusive` ones at all. What is in both
   * is held exclusively.
   */
  async hold<T>(
    { shared = [], exclusive = [] }: { shared?: Iterable<string>; exclusive?: Iterable<string> },
    work: () => Promise<T>,
  ): Promise<T> {
    const alone = new Set(exclusive);
    // Taken in one order everywhere, so that two with overlapping sets never wait for each other.
    const all = [...shared, ...alone];
    const sorted = all.length > atOnce ? await sortedInTurns(all, new Yielding()) : all.sort();
    const names = sorted.filter((name, at) => name !== sorted[at - 1]);
    let held = 0;
    try {
      for (const name of names) {
        const turn = this.#enter(name, alone.has(name));
        // Nobody else shall wait while thousands are taken.
        if (turn !== undefined || held % atOnce === atOnce - 1) await (turn ?? others());
        held++;
      }
      return await work();
    } finally {
      for (let at = 0; at < held; at++) {
        const name = names[at] as string;
        this.#leave(name, alone.has(name));
        if (at % atOnce === atOnce - 1) await others();
      }
    }
  }

  /** Keys that anybody holds or waits for. */
  get size(): number {
    return this.#entries.size;
  }

  #enter(name: string, exclusive: boolean): Promise<void> | undefined {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { shared: 0, exclusive: false, waiting: [] };
      this.#entries.set(name, entry);
    }
    if (entry.waiting.length === 0 && fits(entry, exclusive)) {
      admit(entry, exclusive);
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    entry.waiting.push({ exclusive, resolve });
    return promise;
  }

  #leave(name: string, exclusive: boolean): void {
    const entry = this.#entries.get(name) as Entry;
    if (exclusive) entry.exclusive = false;
    else entry.shared--;
    for (let next = entry.waiting[0]; next !== undefined && fits(entry, next.exclusive); next = entry.waiting[0]) {
      entry.waiting.shift();
      admit(entry, next.exclusive);
      next.resolve();
    }
    if (entry.shared === 0 && !entry.exclusive) this.#entries.delete(name);
  }
}

interface Entry {
  shared: number;
  exclusive: boolean;
  readonly waiting: { readonly exclusive: boolean; readonly resolve: () => void }[];
}

const fits = (entry: Entry, exclusive: boolean): boolean => !entry.exclusive && (!exclusive || entry.shared === 0);

const admit = (entry: Entry, exclusive: boolean): void => {
  if (exclusive) entry.exclusive = true;
  else entry.shared++;
};
