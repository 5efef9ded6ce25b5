import { defined } from "../defined.ts";
import { aborted, DrayError, restated, throwIfAborted } from "../errors.ts";
import { backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { type HeaderPairs, header } from "./types.ts";

/** What one request holds while it waits for an answer. */
export interface Permit {
  /** How many times the registry had limited us when the request began: what began before says nothing of the time after. */
  readonly epoch: number;
}

/** A request that wants a permit. Who comes again after a 429 keeps its place in the queue. */
export interface Applicant {
  readonly order: number;
  /** When it was first told to wait. */
  limitedSince?: number;
}

interface Waiting {
  readonly applicant: Applicant;
  readonly grant: (permit: Permit) => void;
  readonly refuse: (error: DrayError) => void;
}

export interface RateLimiterOptions {
  /** Host of the registry, for messages. */
  readonly registry: string;
  readonly concurrency: number;
  readonly maxWait: number;
  readonly clock: Clock;
}

/** Where a registry says "later" and not when. */
const unsaid = backoff({ first: 1_000, longest: 60_000 });
/** Requests at a time before a registry has shown how it answers. */
const atFirst = 8;
/** An answer that takes so many times as long as usual, and so many milliseconds more, is one of a registry that has too much to do. */
const slow = { times: 4, more: 250 };
/** Milliseconds since an answer for which a registry is there, whatever becomes of a connection. */
const justNow = 2_000;
/** Milliseconds for which it is known how many connections were too many. */
const remembered = 60_000;
/** Nobody is shut out for longer by one answer, whatever it says: a process may run for years. */
const longestClosed = 24 * 3_600_000;
/** A limit that is whole again within a minute is waited for; beyond that some servers speak of another limit than ours. */
const longestReset = 60_000;

/**
 * Rate limiter of one registry: permits in the order of requests, and none while the registry wants us to wait. Eight at first, and every
 * good answer lets one more through, up to the most that is allowed. What was too much halves them: a connection that is refused or
 * closed at once; a registry that wants us to wait, after which one goes first. Answers that slow down take a quarter. From half of what
 * was too much on there is one more for as many answers as there are permits (slow start, then additive increase and multiplicative
 * decrease, as TCP has it).
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #queue: Waiting[] = [];
  #inFlight = 0;
  #limit: number;
  #threshold: number;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #tooMany: { readonly most: number; readonly until: number } | undefined;
  /** Milliseconds that answers usually take, by what is asked. */
  readonly #usual = new Map<string, number>();
  #epoch = 0;
  #closedUntil = 0;
  /** The same by a hint alone, for which nobody is refused. */
  #hintedUntil = 0;
  /** When the registry first said "later" since its last good answer. */
  #limitedSince: number | undefined;
  #limitedUnsaid = 0;
  /** Why nobody may ask before then, where that is no limit of ours. */
  #reason: DrayError | undefined;
  #remaining: { readonly requests: number; readonly until: number } | undefined;
  #alarm: AbortController | undefined;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#limit = Math.min(atFirst, options.concurrency);
    this.#threshold = options.concurrency;
  }

  /**
   * Waits for a permit.
   * @throws DrayError `RATE_LIMITED` if there is none for longer than `maxWait`; `ABORTED`
   */
  acquire(applicant: Applicant, signal?: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal);
      const tooLong = this.#tooLong(applicant);
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
        applicant,
        grant: (permit) => {
          leaveQueue();
          resolve(permit);
        },
        refuse: (error) => {
          leaveQueue();
          reject(error);
        },
      };
      const before = this.#queue.findIndex((other) => other.applicant.order > applicant.order);
      this.#queue.splice(before < 0 ? this.#queue.length : before, 0, waiting);
      signal?.addEventListener("abort", cancel, { once: true });
      this.#grant();
    });
  }

  /** The permit is free again. */
  release(): void {
    this.#inFlight--;
    this.#grant();
  }

  /**
   * How many connections requests have a use for, where `expected` more are about to come: as many as there are permits, and while those
   * grow one more for every two that wait, since each answer lets two go and leaves one connection. `0`: nothing waits, or the registry has not
   * answered yet, or it has limited us before.
   */
  connections(expected = 0): number {
    const waiting = this.#queue.length + expected;
    if (waiting === 0 || this.#epoch > 0 || this.#answeredAt === Number.NEGATIVE_INFINITY) return 0;
    const permits = this.#permits();
    const growth = Math.min(this.#inFlight, Math.ceil(this.#queue.length / 2), this.#most() - permits);
    return Math.min(this.#left(), Math.min(permits, this.#inFlight + waiting) + growth);
  }

  /** A good answer. `after`: how many milliseconds it took, where nothing else does, and of which kind the question was. */
  succeeded({ epoch }: Permit, after?: { readonly took: number; readonly kind: string }): void {
    this.#answeredAt = this.#options.clock.now();
    const isSlow = after !== undefined && this.#isSlow(after.took, after.kind);
    if (epoch !== this.#epoch) return;
    this.#limitedSince = undefined;
    this.#limitedUnsaid = 0;
    if (isSlow) {
      this.#shrink(Math.max(Math.min(atFirst, this.#limit), Math.floor((this.#limit * 3) / 4)));
      return;
    }
    const step = this.#limit < this.#threshold ? 1 : 1 / this.#permits();
    this.#limit = Math.min(this.#most(), this.#limit + step);
    this.#grant();
  }

  #isSlow(took: number, kind: string): boolean {
    const usual = this.#usual.get(kind) ?? took;
    this.#usual.set(kind, usual + (took - usual) / 8);
    return took > slow.times * usual + slow.more;
  }

  /**
   * It did not let a connection in, or closed it without an answer: for a while there are fewer than were too many, which one alone
   * cannot be. Tells whether it answers others meanwhile, so that who was refused need only wait for one of them.
   */
  refused({ epoch }: Permit): boolean {
    const now = this.#options.clock.now();
    if (epoch === this.#epoch && this.#inFlight > 1) {
      const most = Math.max(1, Math.floor((this.#inFlight * 3) / 4));
      this.#tooMany = { most, until: now + remembered };
      this.#shrink(Math.max(1, Math.floor(this.#inFlight / 2)));
    }
    return now - this.#answeredAt < justNow;
  }

  /** It closed a connection that was opened for requests to come: those that are on their way are as many as may be, for a while. */
  refusedAhead(): void {
    const most = Math.max(1, this.#inFlight);
    this.#tooMany = { most, until: this.#options.clock.now() + remembered };
    this.#shrink(Math.min(this.#permits(), most));
  }

  /** Once for all that was asked before. */
  #shrink(to: number): void {
    this.#epoch++;
    this.#threshold = to;
    this.#limit = to;
  }

  /**
   * The registry said "later": no permits for `wait` milliseconds, or for a time of our own where it said none. Returns how long that is
   * now, and whether it is news for somebody who waits. `reason`: what it cannot do now, and says so, where it does not limit us.
   */
  limited(
    permit: Permit,
    applicant: Applicant,
    wait: number | undefined,
    reason?: DrayError,
  ): { wait: number; news: boolean } {
    const { clock } = this.#options;
    const now = clock.now();
    const news = permit.epoch === this.#epoch;
    if (news) {
      this.#limitedUnsaid++;
      this.#shrink(Math.max(1, Math.floor(this.#inFlight / 2)));
      this.#limit = 1;
    }
    this.#limitedSince ??= now;
    this.#reason = reason;
    applicant.limitedSince ??= now;
    const asked = Math.min(wait ?? unsaid(this.#limitedUnsaid, clock.random()), longestClosed);
    this.#closedUntil = Math.max(this.#closedUntil, now + asked);
    for (const waiting of this.#queue.slice()) {
      const tooLong = this.#tooLong(waiting.applicant);
      if (tooLong !== undefined) waiting.refuse(tooLong);
    }
    this.#grant();
    return { wait: this.#closedUntil - now, news: news && this.#tooLong(applicant) === undefined };
  }

  /**
   * What the registry says is left: never more in flight than that, and none before a limit that ends soon is whole again, as far as anybody may
   * wait at all. Returns for how many milliseconds that is from now on, where it is news.
   */
  remains({ remaining, reset }: RateLimit): number | undefined {
    const { clock, maxWait } = this.#options;
    const now = clock.now();
    this.#remaining = { requests: Math.max(1, remaining), until: now + (reset ?? longestReset) };
    if (remaining > 0 || reset === undefined || reset > longestReset) return undefined;
    const delay = Math.min(reset, maxWait);
    const isNews = this.#hintedUntil <= now && delay > 0;
    this.#hintedUntil = Math.max(this.#hintedUntil, now + delay);
    return isNews ? delay : undefined;
  }

  #tooLong(applicant: Applicant): DrayError | undefined {
    const { clock, maxWait, registry } = this.#options;
    const now = clock.now();
    if (this.#closedUntil <= now) return undefined;
    const since = Math.min(applicant.limitedSince ?? now, this.#limitedSince ?? now);
    if (this.#closedUntil - since <= maxWait) return undefined;
    const retryAfter = Math.ceil((this.#closedUntil - now) / 1_000);
    const facts = { registry, retryAfter, retryable: false, remedy: "raise-max-wait" } as const;
    const patience = `we may wait ${Math.round(maxWait / 1_000)} s in all`;
    if (this.#reason !== undefined) {
      const { code, message } = this.#reason;
      return restated(
        this.#reason,
        code,
        `${message}; it wants us to wait ${retryAfter} s more, and ${patience}`,
        facts,
      );
    }
    return new DrayError("RATE_LIMITED", `${registry} limits us for ${retryAfter} s more, and ${patience}`, {
      ...facts,
      status: 429,
    });
  }

  #grant(): void {
    const now = this.#options.clock.now();
    const closedUntil = Math.max(this.#closedUntil, this.#hintedUntil);
    if (closedUntil > now) {
      if (this.#queue.length > 0) this.#wakeIn(closedUntil - now);
      return;
    }
    const permits = Math.min(this.#permits(), this.#left());
    while (this.#inFlight < permits) {
      const first = this.#queue[0];
      if (first === undefined) return;
      this.#inFlight++;
      first.grant({ epoch: this.#epoch });
    }
  }

  /** What the registry says is left. */
  #left(): number {
    const { clock } = this.#options;
    return this.#remaining !== undefined && clock.now() < this.#remaining.until ? this.#remaining.requests : Infinity;
  }

  #most(): number {
    const { concurrency, clock } = this.#options;
    return this.#tooMany !== undefined && clock.now() < this.#tooMany.until
      ? Math.min(concurrency, Math.max(this.#limit, this.#tooMany.most))
      : concurrency;
  }

  /** Whole permits; fractions are on their way to the next. */
  #permits(): number {
    return Math.floor(this.#limit + 1e-9);
  }

  /** One timer for all, and none once nobody waits: it would hold the process. */
  #wakeIn(ms: number): void {
    if (this.#alarm !== undefined) return;
    const alarm = new AbortController();
    this.#alarm = alarm;
    const done = () => {
      this.#alarm = undefined;
      this.#grant();
    };
    this.#options.clock.sleep(ms, alarm.signal).then(done, done);
  }
}

/** What a registry says is left of its limit. */
export interface RateLimit {
  /** Requests that may still be made. */
  readonly remaining: number;
  /** Requests in a whole window, where it says so. */
  readonly limit?: number;
  /** Milliseconds until the limit is whole again, where it says so. */
  readonly reset?: number;
  /** Milliseconds of the window that it is for, where it says so. */
  readonly window?: number;
}

/**
 * Reads what is left from a response's headers, or `undefined` if they do not say. Three dialects:
 * Docker Hub's `RateLimit-Remaining: 76;w=21600`, the older IETF drafts' `RateLimit-Remaining` with `RateLimit-Reset` (seconds; some
 * send the second of 1970), and the newer drafts' `RateLimit: "name";r=50;t=30`. Of several policies the tightest counts.
 * @see https://docs.docker.com/docker-hub/usage/pulls/
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export const readRateLimit = (headers: HeaderPairs, now: number): RateLimit | undefined => {
  const combined = header(headers, "ratelimit");
  if (combined !== undefined) {
    const policies = combined.split(",").flatMap((item) => readPolicy(item) ?? []);
    const tightest = policies.sort((a, b) => a.remaining - b.remaining)[0];
    if (tightest !== undefined) return tightest;
  }
  const remaining = first(header(headers, "ratelimit-remaining") ?? header(headers, "x-ratelimit-remaining"));
  if (remaining === undefined) return undefined;
  const limit = first(header(headers, "ratelimit-limit") ?? header(headers, "x-ratelimit-limit"));
  const reset = first(header(headers, "ratelimit-reset") ?? header(headers, "x-ratelimit-reset"));
  const window = windowOf(header(headers, "ratelimit-limit") ?? header(headers, "ratelimit-remaining"));
  return defined({ remaining, limit, reset: reset === undefined ? undefined : untilReset(reset, now), window });
};

/** `100;w=21600` is for six hours. */
const windowOf = (value: string | undefined): number | undefined => {
  const seconds = first(/;\s*w=(\d+)/i.exec(value ?? "")?.[1]);
  return seconds === undefined || seconds === 0 ? undefined : seconds * 1_000;
};

/** `"default";r=50;t=30`, or the draft between, `limit=100, remaining=50, reset=30`, which is not a list of policies and is left alone. */
const readPolicy = (item: string): RateLimit | undefined => {
  const parameter = (name: string) => first(new RegExp(`;\\s*${name}=(\\d+)`, "i").exec(item)?.[1]);
  const [remaining, seconds] = [parameter("r"), parameter("t")];
  if (remaining === undefined) return undefined;
  return defined({ remaining, reset: seconds === undefined ? undefined : seconds * 1_000 });
};

/** The number a header begins with: `76;w=21600` is 76. */
const first = (value: string | undefined): number | undefined => {
  const digits = /^\s*(\d{1,15})/.exec(value ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** No window lasts for thirty years: such a number is a second of 1970. */
const untilReset = (seconds: number, now: number): number =>
  Math.max(0, seconds > 1_000_000_000 ? seconds * 1_000 - now : seconds * 1_000);
