import { forEachConcurrent, Semaphore } from "../async/index.ts";
import type { ProgressEvent } from "../content/index.ts";
import { aborted, isDrayError } from "../errors.ts";
import type { CopyOptions } from "./options.ts";

/** Requests without a body worth counting, at the same time: does it exist, read a manifest. */
const requestsAtOnce = 32;

/** One call of `copyAll`: what is wanted, and what ends it. Nothing that began in it goes on unseen after its end. */
export class Run {
  readonly options: CopyOptions;
  readonly signal: AbortSignal;
  readonly #cancel = new AbortController();
  readonly #failFast: boolean;
  readonly #requests = new Semaphore(requestsAtOnce);

  /** `failFast`: the first error ends everything that is on its way. */
  constructor(options: CopyOptions, failFast: boolean) {
    this.options = options;
    this.#failFast = failFast;
    this.signal =
      options.signal === undefined ? this.#cancel.signal : AbortSignal.any([options.signal, this.#cancel.signal]);
  }

  readonly emit = (event: ProgressEvent): void => this.options.onEvent?.(event);

  /** A request without a body worth counting, when it is its turn. */
  small<T>(work: () => Promise<T>): Promise<T> {
    return this.#requests.run(this.signal, work);
  }

  throwIfCancelled(): void {
    if (this.options.signal?.aborted) throw aborted(this.options.signal);
  }

  /**
   * Works through items, some at a time, and waits for all that began. `alone`: an error is the item's own and ends nothing else.
   * @throws the first error
   */
  async eachOf<T>(
    items: Iterable<T>,
    atOnce: number,
    work: (item: T) => Promise<void>,
    { alone = false }: { readonly alone?: boolean | undefined } = {},
  ): Promise<void> {
    try {
      await forEachConcurrent(items, atOnce, (item) => (alone ? work(item) : this.cancelling(work(item))));
    } catch (error) {
      throw this.firstCause(error);
    }
  }

  /** Work whose error ends everything else, where the first is enough. */
  async cancelling<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (this.#failFast) this.#cancel.abort(error);
      throw error;
    }
  }

  /** When one error cancels the rest, others report "interrupted"; the one that began it is what the user needs. */
  firstCause(error: unknown): unknown {
    return isDrayError(error, "ABORTED") && this.#cancel.signal.aborted ? this.#cancel.signal.reason : error;
  }
}
