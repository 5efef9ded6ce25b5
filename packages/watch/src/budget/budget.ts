import { type HttpResponse, header, type RateLimit, readRateLimit, retryAfter } from "dray/http";

/** How careful a budget is. */
export interface BudgetSettings {
  /** Share of a registry's limit, from 0 to 1, that is left to others: to whoever pulls. Default 0. */
  readonly reserve?: number | undefined;
}

/** What is left where, for people and programs. Times are RFC 3339 in UTC. */
export interface BudgetLimits {
  readonly registry: string;
  /** Who asks, in words without a secret; empty for anybody. */
  readonly identity: string;
  /** Requests in a window, as the registry says. */
  readonly limit?: number;
  readonly remaining?: number;
  /** How many of these are left to whoever pulls. */
  readonly reserved?: number;
  readonly windowSeconds?: number;
  /** Whom the registry counts this for, as it says: an address, or an account. */
  readonly source?: string;
  /** When the registry said so. */
  readonly asOf?: string;
  /** Nothing is asked before. */
  readonly limitedUntil?: string;
  /** Answers in a row that said "too many". */
  readonly refusals?: number;
}

/** What is kept of a budget. Moments are milliseconds since 1970. */
export interface Known {
  /** What the registry has said is left, and when. */
  readonly said?: RateLimit & { readonly at: number; readonly source?: string };
  /** Nothing is asked from one moment to the other. */
  readonly closed?: { readonly since: number; readonly until: number };
  /** Answers in a row that said "too many", less those that time has forgiven. */
  readonly refusals?: number;
  /** When the last of those came. */
  readonly refusedAt?: number;
}

/** Milliseconds. A wait that a registry asks for is taken within these bounds; one that it does not name begins here and doubles. */
const [shortest, longest, first, longestGuess] = [1_000, 24 * 3_600_000, 30_000, 6 * 3_600_000];
/** Milliseconds after which one refusal is forgiven. */
const forgivenAfter = 20 * 60_000;
/** Milliseconds after which a number without a window is old, and after which a free request is worth a look whether more is left. */
const [oldAfter, lookAgain] = [60_000, 60_000];

/** Leave to ask, given back when the answer is there. */
export interface Leave {
  readonly counted: boolean;
  readonly began: number;
}

/**
 * Rate limit of one identity at one registry, as the registry tells it: by status and headers, never by its words. Not a queue: whoever gets no leave hears
 * until when. After a refusal one request goes first, and the others when that was answered.
 */
export class Budget {
  readonly registry: string;
  readonly identity: string;
  readonly #reserve: number;
  #known: Known;
  /** Requests under way that cost a piece of the limit, and all of them. */
  #counted = 0;
  #underWay = 0;
  #isChanged = false;
  /** When somebody went to look whether more is left. */
  #sought = 0;

  constructor(registry: string, identity: string, known: Known = {}, { reserve = 0 }: BudgetSettings = {}) {
    this.registry = registry;
    this.identity = identity;
    this.#reserve = reserve;
    this.#known = known;
  }

  /** Leave to ask now, or the moment at which it is worth asking again. Give each leave back with `answered` or `failed`. */
  leave(counted: boolean, now: number): Leave | { readonly until: number } {
    this.#follow(now);
    const { closed, refusals = 0 } = this.#known;
    if (closed !== undefined && closed.until > now) return { until: closed.until };
    if (closed !== undefined && refusals > 0 && this.#underWay > 0) return { until: now + shortest };
    const wait = counted ? this.#spent(now) : undefined;
    if (wait !== undefined) return { until: wait };
    this.#underWay++;
    if (counted) this.#counted++;
    return { counted, began: now };
  }

  /** Whether it is worth a free request to hear what is left: nothing is for us by what was said last, and that is a while ago. Told once in a while. */
  seeks(now: number): boolean {
    const { said } = this.#known;
    if (said === undefined || said.reset !== undefined || this.#spent(now) === undefined) return false;
    if (now < Math.max(said.at, this.#sought) + lookAgain) return false;
    this.#sought = now;
    return true;
  }

  /** The answer is there. @param random from 0 to 1: many that were refused at once do not come back at once */
  answered(leave: Leave, response: Pick<HttpResponse, "status" | "headers">, now: number, random = 0.5): void {
    this.#giveBack(leave);
    const { status, headers } = response;
    const limit = readRateLimit(headers, now);
    if (limit !== undefined) {
      const source = header(headers, "docker-ratelimit-source");
      this.#change({ said: { ...limit, at: now, ...(source === undefined ? {} : { source }) } });
    } else if (leave.counted && this.#known.said !== undefined) {
      const { said } = this.#known;
      this.#change({ said: { ...said, remaining: Math.max(0, said.remaining - 1) } });
    }
    if (status === 429) this.refused(leave.began, retryAfter(headers, now), now, random);
    // A server that is busy and says for how long is believed, and no more careful one than it says.
    else if (status === 503) this.#close(retryAfter(headers, now), now);
    else this.#forgive(now);
  }

  /** There is no answer. */
  failed(leave: Leave): void {
    this.#giveBack(leave);
  }

  /**
   * Somebody was refused, because too much was asked. What was asked before the last refusal was known counts no further.
   * @param began when it was asked
   * @param wait milliseconds that the registry wants us to wait, where it says so
   */
  refused(began: number, wait: number | undefined, now: number, random = 0.5): void {
    const { closed, refusals = 0 } = this.#known;
    const isNews = closed === undefined || began >= closed.since;
    const times = isNews ? refusals + 1 : refusals;
    const guessed = Math.min(first * 2 ** (Math.max(1, times) - 1), longestGuess) * (0.8 + 0.4 * random);
    if (isNews || wait !== undefined) this.#close(wait ?? guessed, now);
    this.#change({ refusals: times, refusedAt: now });
  }

  /** What is left, for people. */
  limits(now: number): BudgetLimits {
    this.#follow(now);
    const { said, closed, refusals = 0 } = this.#known;
    const isClosed = closed !== undefined && closed.until > now;
    return {
      registry: this.registry,
      identity: this.identity,
      ...(said?.limit === undefined ? {} : { limit: said.limit, reserved: this.#kept(said.limit) }),
      ...(said === undefined ? {} : { remaining: said.remaining, asOf: inText(said.at) }),
      ...(said?.window === undefined ? {} : { windowSeconds: said.window / 1000 }),
      ...(said?.source === undefined ? {} : { source: said.source }),
      ...(isClosed ? { limitedUntil: inText(closed.until) } : {}),
      ...(refusals > 0 ? { refusals } : {}),
    };
  }

  /** What is to be kept, where it has changed since it was taken last. */
  takeChange(): Known | undefined {
    if (!this.#isChanged) return undefined;
    this.#isChanged = false;
    return this.#known;
  }

  /** The moment at which more may be left, where what is left is for others. */
  #spent(now: number): number | undefined {
    const { said } = this.#known;
    if (said === undefined) return undefined;
    const { at, remaining, limit = 0, reset, window } = said;
    // Whatever is said, the next day is another one.
    const ends = at + Math.min(reset ?? window ?? oldAfter, longest);
    const isOver = now >= ends;
    if (isOver || remaining - this.#counted > this.#kept(limit)) return undefined;
    if (reset !== undefined) return ends;
    // A window slides: more is left before it is over, which a free request tells.
    const next = Math.max(at, this.#sought) + lookAgain;
    return Math.min(next > now ? next : now + lookAgain, ends);
  }

  #kept(limit: number): number {
    return Math.ceil(limit * this.#reserve);
  }

  #close(wait: number | undefined, now: number): void {
    if (wait === undefined) return;
    const until = now + Math.min(Math.max(wait, shortest), longest);
    const { closed } = this.#known;
    // Of two that were refused at once the longer wait counts.
    const isOpen = closed === undefined || closed.until <= now;
    this.#change({
      closed: { since: isOpen ? now : closed.since, until: isOpen ? until : Math.max(closed.until, until) },
    });
  }

  #forgive(now: number): void {
    const { refusals = 0, refusedAt = now, closed } = this.#known;
    if (refusals === 0 && closed === undefined) return;
    const forgiven = Math.floor((now - refusedAt) / forgivenAfter);
    const left = Math.max(0, refusals - forgiven);
    const { closed: _, ...open } = this.#known;
    this.#known = forgiven === 0 ? open : { ...open, refusals: left, refusedAt: refusedAt + forgiven * forgivenAfter };
    this.#isChanged = true;
  }

  /** Where the clock was set back, what was said lies in the future: the wait stays as long as it was, and numbers are forgotten. */
  #follow(now: number): void {
    const { closed, said, refusedAt } = this.#known;
    if (closed !== undefined && closed.since > now)
      this.#change({ closed: { since: now, until: now + (closed.until - closed.since) } });
    if (refusedAt !== undefined && refusedAt > now) this.#change({ refusedAt: now });
    if (said === undefined || said.at <= now) return;
    const { said: _, ...others } = this.#known;
    this.#known = others;
    this.#isChanged = true;
  }

  #giveBack({ counted }: Leave): void {
    this.#underWay--;
    if (counted) this.#counted--;
  }

  #change(known: Partial<Known>): void {
    this.#known = { ...this.#known, ...known };
    this.#isChanged = true;
  }
}

const inText = (moment: number): string => new Date(moment).toISOString();
