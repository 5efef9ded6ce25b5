export interface AttemptOptions {
  /** Wrong passwords of one user from one place before nothing more is tried. Default 10. */
  readonly attempts?: number;
  /** Milliseconds over which they are counted, and for which nothing is tried after. Default one minute. */
  readonly window?: number;
  /** Users and places remembered at most. Default 10,000. */
  readonly remembered?: number;
  /** Milliseconds that go on evenly. Default: those of the process. */
  readonly now?: () => number;
}

interface Count {
  /** Wrong ones, and those on their way, which may be. */
  tried: number;
  wrong: number;
  /** When counting starts again. */
  until: number;
}

/**
 * Counts wrong passwords by user and place together, so that nobody is kept out of their account by somebody else elsewhere. An
 * attempt counts from its beginning: many at once are no way around.
 */
export class Attempts {
  readonly #counts = new Map<string, Count>();
  readonly #most: number;
  readonly #window: number;
  readonly #remembered: number;
  readonly #now: () => number;

  constructor({
    attempts = 10,
    window = 60_000,
    remembered = 10_000,
    now = () => performance.now(),
  }: AttemptOptions = {}) {
    this.#most = attempts;
    this.#window = window;
    this.#remembered = remembered;
    this.#now = now;
  }

  /** Milliseconds until something may be tried again; 0 for now. */
  locked(key: string): number {
    const count = this.#counts.get(key);
    return count === undefined || count.tried < this.#most ? 0 : Math.max(0, count.until - this.#now());
  }

  /** An attempt begins. */
  begin(key: string): void {
    const now = this.#now();
    const before = this.#counts.get(key);
    this.#counts.delete(key);
    const count =
      before === undefined || before.until <= now ? { tried: 0, wrong: 0, until: now + this.#window } : before;
    count.tried++;
    this.#counts.set(key, count);
    if (this.#counts.size <= this.#remembered) return;
    // Whoever was quiet for longest is forgotten.
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      break;
    }
  }

  /** It was wrong. Tells whether this one locks the user out of there; the window begins again with it. */
  wrong(key: string): boolean {
    const count = this.#counts.get(key);
    if (count === undefined || ++count.wrong !== this.#most) return false;
    count.until = this.#now() + this.#window;
    return true;
  }

  /** It was right. */
  right(key: string): void {
    this.#counts.delete(key);
  }

  /** Nothing was found out. */
  undone(key: string): void {
    const count = this.#counts.get(key);
    if (count !== undefined && --count.tried <= 0) this.#counts.delete(key);
  }
}
