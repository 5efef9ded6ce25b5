import { DrayError, isDrayError, reasonOf } from "dray/errors";
import { type Backoff, type BackoffOptions, backoff, type Clock, systemClock } from "dray/http";
import { type Deliveries, type Delivery, mostQueued } from "./deliveries.ts";
import type { WatchEvent } from "./event.ts";
import { type QuietHours, quietUntil } from "./quiet-hours.ts";
import type { Sink } from "./sink.ts";

/** A sink with what it wants. */
export interface Subscription {
  readonly sink: Sink;
  /** Whether it is to hear of an event. Default: of every one. */
  readonly wants?: (event: WatchEvent) => boolean;
  readonly quiet?: QuietHours;
}

export interface DeliveringOptions {
  readonly clock?: Clock;
  /** Pauses between attempts. Default: from 5 seconds to 15 minutes. */
  readonly retry?: BackoffOptions;
  /** Milliseconds after which a delivery that was refused again and again is given up. Default: 3 days. */
  readonly giveUp?: number;
  /** Milliseconds that one attempt may take. Default 30,000. */
  readonly timeout?: number;
  /** Deliveries on their way to one sink at a time, each of another repository. Default 4. */
  readonly concurrency?: number;
  /** Milliseconds between two looks at the file, where another process may have appended events. Default 1,000. */
  readonly poll?: number;
  /** Hears of each attempt's end. */
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** How an attempt ended. */
export interface Attempt {
  readonly sink: string;
  readonly events: readonly WatchEvent[];
  readonly outcome: "delivered" | "later" | "dead";
  /** What went wrong; without secrets. */
  readonly error?: string;
  /** When it is tried again: milliseconds since 1970. */
  readonly due?: number;
}

/** A sink that names a longer pause is asked again after this one. */
const longestPause = 3_600_000;
/** What a process has after its attempt ended to say so in the file. */
const margin = 10_000;
const mostInDigest = 500;

/**
 * Brings events from the file to one sink, for as long as it runs: in order for each repository, one attempt at a time while the sink is in trouble. An event
 * is sent a second time only where a process ended between an attempt and its note, and then under the same id.
 */
export class Delivering {
  readonly #deliveries: Deliveries;
  readonly #subscription: Subscription;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #options: Required<Pick<DeliveringOptions, "giveUp" | "timeout" | "concurrency" | "poll">>;
  readonly #onAttempt: (attempt: Attempt) => void;
  readonly #ended = new AbortController();
  #resting = new AbortController();
  #stopping = false;
  #failures = 0;
  #pausedUntil = 0;
  #running: Promise<void> | undefined;

  constructor(deliveries: Deliveries, subscription: Subscription, options: DeliveringOptions = {}) {
    const {
      clock = systemClock,
      retry,
      giveUp = 3 * 86_400_000,
      timeout = 30_000,
      concurrency = 4,
      poll = 1000,
    } = options;
    this.#deliveries = deliveries;
    this.#subscription = subscription;
    this.#clock = clock;
    this.#backoff = backoff({ first: 5000, longest: 900_000, ...retry });
    this.#options = { giveUp, timeout, concurrency, poll };
    this.#onAttempt = options.onAttempt ?? (() => {});
  }

  /** Queues and sends until `stop`. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Something has happened: looks at once. */
  wake(): void {
    this.#resting.abort();
  }

  /** Ends it: nothing more is sent, and what is on its way may arrive, until `hurry` aborts; what is cut then goes out again with the next start. */
  async stop(hurry?: AbortSignal): Promise<void> {
    this.#stopping = true;
    const cut = (): void => this.#ended.abort(new DrayError("ABORTED", "the sink was stopped"));
    hurry?.addEventListener("abort", cut, { once: true });
    if (hurry?.aborted === true) cut();
    this.#resting.abort();
    await this.#running;
    hurry?.removeEventListener("abort", cut);
    await this.#subscription.sink.close?.();
  }

  /**
   * Does what is to be done now. For `start`, and for whoever brings a clock of his own.
   * @returns when there will be something to do: milliseconds since 1970; `undefined` where nothing is planned.
   */
  async step(): Promise<number | undefined> {
    const { sink, wants, quiet } = this.#subscription;
    const now = this.#clock.now();
    const quietEnd = quiet && quietUntil(quiet, now);
    const subscriber = { name: sink.name, ...(wants === undefined ? {} : { wants }), holds: quietEnd !== undefined };
    while ((await this.#deliveries.queue(subscriber, now)) === mostQueued);
    if (quietEnd !== undefined) return quietEnd;
    if (this.#pausedUntil > now && this.#pausedUntil <= now + longestPause) return this.#pausedUntil;
    const taking = { lease: this.#options.timeout + margin, limit: this.#failures > 0 ? 1 : this.#options.concurrency };
    if (quiet?.afterwards === "digest") {
      const due = this.#deliveries.heldUntil(sink.name, now);
      if (due !== undefined && due > now) return due;
      if (due !== undefined) {
        await this.#attempt(await this.#deliveries.takeHeld(sink.name, now, { ...taking, limit: mostInDigest }));
        return now;
      }
    }
    const taken = await this.#deliveries.take(sink.name, now, taking);
    await Promise.all(taken.map((delivery) => this.#attempt([delivery])));
    return taken.length > 0 ? now : this.#deliveries.nextDue(sink.name, now);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#resting = new AbortController();
      let next: number | undefined;
      try {
        next = await this.step();
      } catch (error) {
        // The file is locked or full: what was not noted is noted by a later attempt.
        this.#onAttempt({ sink: this.#subscription.sink.name, events: [], outcome: "later", error: reasonOf(error) });
      }
      const now = this.#clock.now();
      const pause = Math.min(this.#options.poll, Math.max(0, (next ?? Infinity) - now));
      if (pause > 0 && !this.#stopping) await this.#clock.sleep(pause, this.#resting.signal).catch(() => {});
    }
  }

  async #attempt(deliveries: readonly Delivery[]): Promise<void> {
    const { sink } = this.#subscription;
    const events = deliveries.map(({ event }) => event);
    const base = { sink: sink.name, events };
    const limit = AbortSignal.timeout(this.#options.timeout);
    let refusal: string | undefined;
    try {
      refusal = (await sink.send(events, AbortSignal.any([limit, this.#ended.signal])))?.refused;
    } catch (error) {
      if (this.#ended.signal.aborted) return this.#deliveries.release(deliveries, this.#clock.now());
      return this.#failed(deliveries, error);
    }
    this.#failures = 0;
    this.#pausedUntil = 0;
    const now = this.#clock.now();
    if (refusal === undefined) {
      await this.#deliveries.delivered(deliveries, now);
      this.#onAttempt({ ...base, outcome: "delivered" });
    } else {
      await this.#deliveries.dead(deliveries, refusal, now);
      this.#onAttempt({ ...base, outcome: "dead", error: refusal });
    }
  }

  async #failed(deliveries: readonly Delivery[], cause: unknown): Promise<void> {
    const now = this.#clock.now();
    const base = {
      sink: this.#subscription.sink.name,
      events: deliveries.map(({ event }) => event),
      error: reasonOf(cause),
    };
    const tries = Math.max(...deliveries.map(({ attempts }) => attempts)) + 1;
    this.#failures++;
    const asked = isDrayError(cause) ? (cause.retryAfter ?? 0) * 1000 : 0;
    const backoff = this.#backoff(Math.max(tries, this.#failures), this.#clock.random());
    const due = now + Math.max(Math.min(asked, longestPause), backoff);
    this.#pausedUntil = due;
    if (tries > 1 && deliveries.every(({ since }) => now - since >= this.#options.giveUp)) {
      await this.#deliveries.dead(deliveries, base.error, now);
      return this.#onAttempt({ ...base, outcome: "dead" });
    }
    await this.#deliveries.failed(deliveries, base.error, due);
    this.#onAttempt({ ...base, outcome: "later", due });
  }
}
