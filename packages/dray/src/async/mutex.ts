import { DrayError } from "../errors.ts";

/** FIFO mutex that can be closed; not re-entrant. One piece of work at a time, whatever became of those before. */
export class Mutex {
  readonly #what: string;
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** @param what is worked on, for the message of who comes too late: "the receiver" */
  constructor(what: string) {
    this.#what = what;
  }

  /** @throws DrayError `DISK` once it is closed */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(new DrayError("DISK", `${this.#what} is closed`));
    const result = this.#last.then(work, work);
    this.#last = result;
    return result;
  }

  /** The last turn. Safe to call twice. */
  close(work: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#last.then(work, work);
    return this.#closed;
  }
}
