/**
 * Idle timer for waits that should end soon, thousands of them in a transfer: one timer that looks at the clock now and then, in place of
 * a timer for each wait. After a time in which this process did nothing (it was stopped and goes on, or it computed) what it waits for may
 * be here, not read yet: that has its turn before the wait is over.
 */
export class IdleTimer {
  readonly #limit: number;
  readonly #expired: () => void;
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** `expired` is called when one wait lasts `limit` milliseconds. */
  constructor(limit: number, expired: () => void) {
    this.#limit = limit;
    this.#expired = expired;
  }

  begin(): void {
    this.#since = performance.now();
    if (this.#turn === undefined) this.#timer ??= setTimeout(this.#look, this.#limit);
  }

  end(): void {
    this.#since = undefined;
  }

  /** No more waits. */
  stop(): void {
    this.#since = undefined;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    if (this.#since === undefined) return;
    const left = this.#left(this.#since);
    if (left > 0) this.#timer = setTimeout(this.#look, Math.ceil(left));
    else this.#turn = setImmediate(this.#expire);
  };

  readonly #expire = (): void => {
    this.#turn = undefined;
    if (this.#since === undefined) return;
    if (this.#left(this.#since) > 0) this.#look();
    else this.#expired();
  };

  #left(since: number): number {
    return since + this.#limit - performance.now();
  }
}
