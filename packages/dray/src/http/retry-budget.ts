import type { OnEvent } from "../content/index.ts";
import { type DrayError, throwIfAborted } from "../errors.ts";
import { refuseNumber } from "../numbers.ts";
import { type Backoff, backoff } from "./backoff.ts";
import { type Clock, systemClock } from "./clock.ts";

/** How often, and for how long, is tried again. */
export interface RetryOptions {
  /** Requests that one piece of content may cost while nothing of it gets through. Default 5; 1 never repeats. */
  readonly attempts?: number;
  /** Delay after an attempt, where the registry does not say one. */
  readonly delay?: Backoff;
  /** No single wait is longer, in milliseconds: what asks for more is given back as it is. Default 15 minutes; with `connect` as `budget.maxWait`. */
  readonly maxWait?: number;
  readonly clock?: Clock;
}

/** What is tried again, for the event, and who may stop it. */
export interface Repetition {
  readonly what: string;
  /** The host that is asked again. */
  readonly registry: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Retry budget of one piece of content. It travels with every request of that piece, and whoever repeats one, the retry middleware or an
 * upload that goes on, draws from it: layers that try again add up and do not multiply. Bytes that get through fill it up.
 */
export class RetryBudget {
  readonly #options: RetryOptions;
  #failures = 0;

  constructor(options: RetryOptions = {}) {
    refuseNumber("retry.attempts", options.attempts);
    refuseNumber("retry.maxWait", options.maxWait, { from: 0, fractions: true });
    this.#options = options;
  }

  /** Whether something was tried again. */
  get wasDrawn(): boolean {
    return this.#failures > 0;
  }

  /** Something got through: failures are counted anew. */
  refill(): void {
    this.#failures = 0;
  }

  /**
   * Takes out one more attempt.
   * @param asked milliseconds that the other side wants us to wait.
   * @returns milliseconds to wait before it; `undefined` where none is left or the wait is too long.
   */
  draw(asked?: number): number | undefined {
    return this.#draw(asked ?? this.#delay(this.#failures + 1));
  }

  /** Waits for an attempt that was drawn, and tells of it. */
  async pause(delay: number, reason: string, { what, registry, signal, onEvent }: Repetition): Promise<void> {
    // It may have failed only because it was cancelled, by an error that passes for somebody else.
    throwIfAborted(signal);
    onEvent?.({ type: "retry", registry, what, attempt: this.#failures, delay, reason });
    const { clock = systemClock } = this.#options;
    await clock.sleep(delay, signal);
  }

  /**
   * Draws an attempt for what was cut, and waits for it; not at all after the first failure, since a cut connection may be taken up at once.
   * @param progressed something got through before the cut: it was none of the attempts in vain, which are counted anew from here on.
   * @throws the error where none is left.
   */
  async resume(error: DrayError, repetition: Repetition, progressed = false): Promise<void> {
    throwIfAborted(repetition.signal);
    if (progressed) this.refill();
    const own = this.#failures === 0 ? 0 : this.#delay(this.#failures);
    const wait = this.#draw(Math.max(own, (error.retryAfter ?? 0) * 1000));
    if (wait === undefined) throw error;
    await this.pause(wait, error.message, repetition);
    if (progressed) this.refill();
  }

  #delay(failures: number): number {
    const { delay = backoff(), clock = systemClock } = this.#options;
    return delay(failures, clock.random());
  }

  #draw(wait: number): number | undefined {
    const { attempts = 5, maxWait = 900_000 } = this.#options;
    if (this.#failures + 1 >= attempts || wait > maxWait) return undefined;
    this.#failures++;
    return wait;
  }
}
