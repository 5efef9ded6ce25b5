import { DrayError } from "dray/errors";

/** The calls to a receiver one after the other, whatever became of those before; none any more once it is closed. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(new DrayError("DISK", "the receiver is closed"));
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
