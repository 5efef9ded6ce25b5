import { aborted, DrayError, throwIfAborted } from "../errors.ts";
import { backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { RateLimit } from "./rate-limit.ts";

/** What one request holds while it waits for an answer. */
export interface Permit {
  /** How many times the gate had closed when the request began: what began before says nothing of the time after. */
  readonly round: number;
}

/** One that wants a place. Who comes again after a 429 keeps its turn. */
export interface Turn {
  readonly order: number;
  /** When it was first told to wait. */
  limitedSince?: number;
}

interface Waiting {
  readonly turn: Turn;
  readonly admit: (place: Permit) => void;
  readonly refuse: (error: DrayError) => void;
}

export interface GateOptions {
  /** Host of the registry, for messages. */
  readonly registry: string;
  readonly concurrency: number;
  readonly maxWait: number;
  readonly clock: Clock;
}

/** Where a registry says "later" and not when. */
const unsaid = backoff({ first: 1_000, longest: 60_000 });
/** A limit that is whole again within a minute is waited for; beyond that some servers speak of another limit than ours. */
const longestReset = 60_000;

/**
 * The gate before one registry. Shut for everyone while the registry wants us to wait; afterwards one request goes first, and every good answer lets
 * more through: doubling up to half of what was too much, then one more a round (additive increase, multiplicative decrease).
 */
export class RateLimiter {
  readonly #options: GateOptions;
  readonly #queue: Waiting[] = [];
  #inFlight = 0;
  #limit: number;
  #threshold: number;
  #round = 0;
  #shutUntil = 0;
  /** When the registry first said "later" since its last good answer. */
  #limitedSince: number | undefined;
  #unsaid = 0;
  #remaining: { readonly requests: number; readonly until: number } | undefined;
  #alarm: AbortController | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#limit = options.concurrency;
    this.#threshold = options.concurrency;
  }

  /**
   * Waits for a place.
   * @throws DrayError `RATE_LIMITED` if the gate stays shut for longer than `maxWait`; `ABORTED`
   */
  enter(turn: Turn, signal?: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal);
      const tooLong = this.#tooLong(turn);
      if (tooLong !== undefined) throw tooLong;
      const leaveQueue = () => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        signal?.removeEventListener("abort", cancel);
        if (this.#queue.length === 0) this.#alarm?.abort();
      };
      const cancel = () => {
        leaveQueue();
        reject(aborted(signal as AbortSignal));
      };
      const waiting: Waiting = {
        turn,
        admit: (place) => {
          leaveQueue();
          resolve(place);
        },
        refuse: (error) => {
          leaveQueue();
          reject(error);
        },
      };
      const before = this.#queue.findIndex((other) => other.turn.order > turn.order);
      this.#queue.splice(before < 0 ? this.#queue.length : before, 0, waiting);
      signal?.addEventListener("abort", cancel, { once: true });
      this.#admit();
    });
  }

  /** The place is free again. */
  leave(): void {
    this.#inFlight--;
    this.#admit();
  }

  /** A good answer. */
  opened(place: Permit): void {
    if (place.round !== this.#round) return;
    this.#limitedSince = undefined;
    this.#unsaid = 0;
    const step = this.#limit < this.#threshold ? 1 : 1 / this.#places();
    this.#limit = Math.min(this.#options.concurrency, this.#limit + step);
    this.#admit();
  }

  /**
   * The registry said "later": shuts the gate for `wait` milliseconds, or for a time of our own where it said none. Returns how long it is
   * shut now, and whether that is news for somebody who waits.
   */
  shut(place: Permit, turn: Turn, wait: number | undefined): { wait: number; news: boolean } {
    const { clock } = this.#options;
    const now = clock.now();
    const news = place.round === this.#round;
    if (news) {
      this.#round++;
      this.#unsaid++;
      this.#threshold = Math.max(1, Math.floor(this.#inFlight / 2));
      this.#limit = 1;
    }
    this.#limitedSince ??= now;
    turn.limitedSince ??= now;
    this.#shutUntil = Math.max(this.#shutUntil, now + (wait ?? unsaid(this.#unsaid, clock.random())));
    for (const waiting of this.#queue.slice()) {
      const tooLong = this.#tooLong(waiting.turn);
      if (tooLong !== undefined) waiting.refuse(tooLong);
    }
    this.#admit();
    return { wait: this.#shutUntil - now, news: news && this.#tooLong(turn) === undefined };
  }

  /** What the registry says is left: never more in flight than that, and none before a limit that ends soon is whole again. */
  remains({ remaining, reset }: RateLimit): void {
    const now = this.#options.clock.now();
    this.#remaining = { requests: Math.max(1, remaining), until: now + (reset ?? longestReset) };
    if (remaining === 0 && reset !== undefined && reset <= longestReset)
      this.#shutUntil = Math.max(this.#shutUntil, now + reset);
  }

  #tooLong(turn: Turn): DrayError | undefined {
    const { clock, maxWait, registry } = this.#options;
    const now = clock.now();
    if (this.#shutUntil <= now) return undefined;
    const since = Math.min(turn.limitedSince ?? now, this.#limitedSince ?? now);
    if (this.#shutUntil - since <= maxWait) return undefined;
    const retryAfter = Math.ceil((this.#shutUntil - now) / 1_000);
    return new DrayError(
      "RATE_LIMITED",
      `${registry} limits us for ${retryAfter} s more, and we may wait ${Math.round(maxWait / 1_000)} s in all`,
      { registry, retryAfter, status: 429, remedy: "raise-max-wait" },
    );
  }

  #admit(): void {
    const now = this.#options.clock.now();
    if (this.#shutUntil > now) {
      if (this.#queue.length > 0) this.#wakeIn(this.#shutUntil - now);
      return;
    }
    const left = this.#remaining !== undefined && now < this.#remaining.until ? this.#remaining.requests : Infinity;
    const places = Math.min(this.#places(), left);
    while (this.#inFlight < places) {
      const first = this.#queue[0];
      if (first === undefined) return;
      this.#inFlight++;
      first.admit({ round: this.#round });
    }
  }

  /** Whole places; fractions are on their way to the next. */
  #places(): number {
    return Math.floor(this.#limit + 1e-9);
  }

  /** One timer for all, and none once nobody waits: it would hold the process. */
  #wakeIn(ms: number): void {
    if (this.#alarm !== undefined) return;
    const alarm = new AbortController();
    this.#alarm = alarm;
    const done = () => {
      this.#alarm = undefined;
      this.#admit();
    };
    this.#options.clock.sleep(ms, alarm.signal).then(done, done);
  }
}
