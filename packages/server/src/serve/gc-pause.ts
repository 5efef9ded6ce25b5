import { DrayError, isDrayError } from "dray/errors";
import type { Driver } from "../storage/index.ts";

/** Beside the tree: a restart finds it there, and so does a process that looks after a volume that nobody serves. */
const file = "dray/gc-paused-until";

/**
 * A time until which no garbage is collected, so that a copy of the volume finds all that its first part names. It ends by itself: a
 * backup that died does not fill the disk.
 */
export class GcPause {
  readonly #driver: Driver;
  readonly #now: () => number;
  #running: { readonly cut: AbortController; readonly ended: Promise<unknown> } | undefined;

  constructor(driver: Driver, now: () => number = Date.now) {
    this.#driver = driver;
    this.#now = now;
  }

  /** When it ends; milliseconds since 1970, `undefined` where garbage may be collected. */
  async until(): Promise<number | undefined> {
    const bytes = await this.#driver.read(file);
    const until = bytes === undefined ? Number.NaN : Date.parse(new TextDecoder().decode(bytes).trim());
    return until > this.#now() ? until : undefined;
  }

  /** Begins, or begins anew, for so many milliseconds; 0 ends it. When this resolves no run is going on. */
  async last(milliseconds: number): Promise<number | undefined> {
    if (milliseconds === 0) {
      await this.#driver.remove(file);
      return undefined;
    }
    const until = this.#now() + milliseconds;
    await this.#driver.write(file, new TextEncoder().encode(`${new Date(until).toISOString()}\n`));
    this.#running?.cut.abort(paused(until));
    await this.#running?.ended.catch(() => {});
    return until;
  }

  /** Collects, unless it is paused, and until it is. @throws DrayError `LOCKED` */
  async collecting<T>(signal: AbortSignal, collect: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const cut = new AbortController();
    const begun = async (): Promise<T> => {
      const until = await this.until();
      if (until !== undefined) throw paused(until);
      const both = AbortSignal.any([signal, cut.signal]);
      both.throwIfAborted();
      return collect(both);
    };
    // From the look on: a pause that begins meanwhile waits for its end.
    const ended = begun();
    const run = { cut, ended };
    // A second one is refused by the collector, and is no run.
    this.#running ??= run;
    try {
      return await ended;
    } catch (error) {
      if (cut.signal.aborted && isDrayError(cut.signal.reason)) throw cut.signal.reason;
      throw error;
    } finally {
      if (this.#running === run) this.#running = undefined;
    }
  }
}

const paused = (until: number): DrayError =>
  new DrayError(
    "LOCKED",
    `garbage collection is paused until ${new Date(until).toISOString()}; "dray serve gc --resume" ends that`,
  );
