/**
 * Idle timer for waits that should end soon, thousands of them in a transfer: one timer that looks at the clock now and then, in place of
 * a timer for each wait.
 */
export class IdleTimer {
  readonly #limit: number;
  readonly #expired: () => void;
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `expired` is called when one wait lasts `limit` milliseconds. */
  constructor(limit: number, expired: () => void) {
    this.#limit = limit;
    this.#expired = expired;
  }

  begin(): void {
    this.#since = performance.now();
    this.#timer ??= setTimeout(this.#look, this.#limit);
  }

  end(): void {
    this.#since = undefined;
  }

  /** No more waits. */
  stop(): void {
    this.#since = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    if (this.#since === undefined) return;
    const left = this.#since + this.#limit - performance.now();
    if (left > 0) this.#timer = setTimeout(this.#look, Math.ceil(left));
    else this.#expired();
  };
}
