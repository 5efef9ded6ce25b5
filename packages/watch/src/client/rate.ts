import { DrayError } from "dray/errors";
import type { Clock, Middleware } from "dray/http";
import { refuseNumber } from "dray/internal/numbers";

/** How fast one registry is asked. */
export interface RateOptions {
  /** Requests a second, once it has shown that it takes them. Default 50. */
  readonly rps?: number | undefined;
  /** Requests that may go at once after a pause. Default 10. */
  readonly burst?: number | undefined;
}

/** Requests a second below which no refusal brings us, what a refusal divides them by, what recovery multiplies them by. */
const [least, down, up] = [0.1, 2, 1.5];

/** Milliseconds after which one step of recovery is due: it is time that counts, not how many repositories succeed. */
const recoveryStep = 60_000;

/**
 * Token bucket of one registry, for all of its repositories and whoever asks. A 429 halves its rate, once for all requests that were on their
 * way; it comes back by half for each minute since, as soon as something succeeds.
 */
export class Rate {
  readonly #registry: string;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #burst: number;
  readonly #maxWait: number;
  #rps: number;
  #tokens: number;
  #filledAt: number;
  #changedAt = Number.NEGATIVE_INFINITY;
  #epoch = 0;

  /** @throws DrayError `USAGE` */
  constructor(registry: string, { rps = 50, burst = 10 }: RateOptions, maxWait: number, clock: Clock) {
    refuseNumber("rps", rps, { from: least, fractions: true });
    refuseNumber("burst", burst);
    this.#registry = registry;
    this.#clock = clock;
    this.#most = rps;
    this.#burst = burst;
    this.#maxWait = maxWait;
    this.#rps = rps;
    this.#tokens = burst;
    this.#filledAt = clock.now();
  }

  /** Requests a second, as things are. */
  get rps(): number {
    return this.#rps;
  }

  /** Every request that passes takes a token, and waits for one. @throws DrayError `RATE_LIMITED` at once, where it would wait for too long */
  readonly middleware: Middleware = (next) => async (request) => {
    const wait = this.#take();
    try {
      if (wait > 0) await this.#clock.sleep(wait, request.signal);
    } catch (error) {
      this.#tokens++;
      throw error;
    }
    const epoch = this.#epoch;
    const response = await next(request);
    if (response.status === 429 && epoch === this.#epoch) this.#slowDown();
    return response;
  };

  /** Something was done as it should: the rate comes back as far as time allows. */
  succeed(): void {
    if (this.#rps >= this.#most) return;
    const now = this.#clock.now();
    // After a clock was set back time begins anew.
    const since = Math.min(this.#changedAt, now);
    const steps = Math.floor((now - since) / recoveryStep);
    this.#changedAt = since + steps * recoveryStep;
    if (steps === 0) return;
    this.#fill(now);
    this.#rps = Math.min(this.#most, this.#rps * up ** steps);
  }

  /** Takes a token, perhaps one that is not there yet. Returns milliseconds until it is. */
  #take(): number {
    this.#fill(this.#clock.now());
    const wait = this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#rps) * 1_000);
    if (wait > this.#maxWait) {
      const message = `rate limited: ${this.#registry} is asked ${this.#rps} times a second, and this request would wait ${Math.ceil(wait / 1_000)} s for its turn`;
      throw new DrayError("RATE_LIMITED", message, { registry: this.#registry, retryAfter: Math.ceil(wait / 1_000) });
    }
    this.#tokens--;
    return wait;
  }

  #fill(now: number): void {
    const passed = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + (passed / 1_000) * this.#rps);
  }

  #slowDown(): void {
    const now = this.#clock.now();
    this.#fill(now);
    this.#epoch++;
    this.#rps = Math.max(least, this.#rps / down);
    this.#changedAt = now;
  }
}
