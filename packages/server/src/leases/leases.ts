import type { Digest } from "dray/oci";

/** Promises remembered one by one, some 500 bytes each. */
const most = 200_000;

/** Promises as they are remembered. */
interface Book {
  /** When each was given, by digest and repository. */
  readonly given: Map<Digest, Map<string, number>>;
  count: number;
  /** When more were given than fit: then everything was promised to everybody. */
  allGiven: number;
}

/**
 * Promises that a blob will still be there: recorded before the answer that makes a client skip an upload (HEAD, mount, commit),
 * kept for a time, and on while any upload is open in the repository. They live in memory: nothing is swept within one lease of
 * the start, so a restart forgets none that matters.
 */
export class Leases {
  readonly #book: Book;
  readonly #length: number;
  readonly #now: () => number;
  readonly #uploading: (repository: string) => boolean;
  /** Nothing may be swept before; milliseconds since 1970. */
  readonly sweepFrom: number;
  readonly #most: number;
  #swept: number;

  constructor(options: {
    /** Milliseconds. */
    readonly length: number;
    readonly now: () => number;
    /** Whether any upload is open in a repository. */
    readonly uploading: (repository: string) => boolean;
    /** Promises remembered one by one. Where more are given within one lease, everything counts as promised for that time. Default 200,000. */
    readonly most?: number;
    /** Those whose promises these are, too. */
    readonly of?: Leases;
  }) {
    const { length, now, uploading, of } = options;
    this.#book = of === undefined ? { given: new Map(), count: 0, allGiven: Number.NEGATIVE_INFINITY } : of.#book;
    this.#most = options.most ?? most;
    this.#length = length;
    this.#now = now;
    this.#uploading = uploading;
    this.#swept = now();
    this.sweepFrom = length + (of === undefined ? now() : of.sweepFrom - of.#length);
  }

  /** The same promises, as if they held for a shorter time. `0`: none counts, because nobody pushes. */
  lasting(length: number): Leases {
    if (length >= this.#length) return this;
    const uploading = length === 0 ? () => false : this.#uploading;
    return new Leases({ length, now: this.#now, uploading, of: this });
  }

  /** Promises a digest to whoever pushes to a repository. */
  record(repository: string, digest: Digest): void {
    const now = this.#now();
    const book = this.#book;
    let holders = book.given.get(digest);
    if (holders === undefined) {
      holders = new Map();
      book.given.set(digest, holders);
    }
    if (!holders.has(repository)) book.count++;
    holders.set(repository, now);
    if (now - this.#swept > this.#length) this.#forget(now);
    if (book.count <= this.#most) return;
    book.given.clear();
    Object.assign(book, { count: 0, allGiven: now });
  }

  /** Whether a digest is promised to anybody, or in one repository. */
  holds(digest: Digest, repository?: string): boolean {
    const { given: promises, allGiven } = this.#book;
    const now = this.#now();
    if (allGiven + this.#length > now) return true;
    const holders = promises.get(digest);
    if (holders === undefined) return false;
    const lives = ([name, given]: readonly [string, number]): boolean =>
      given + this.#length > now || this.#uploading(name);
    if (repository === undefined) return [...holders].some(lives);
    const given = holders.get(repository);
    return given !== undefined && lives([repository, given]);
  }

  /** Repositories that a digest was promised in lately: where a mount may look for it. */
  repositories(digest: Digest): string[] {
    return [...(this.#book.given.get(digest)?.keys() ?? [])];
  }

  #forget(now: number): void {
    const book = this.#book;
    this.#swept = now;
    for (const [digest, holders] of book.given) {
      for (const [repository, given] of holders)
        if (given + this.#length <= now && !this.#uploading(repository)) {
          holders.delete(repository);
          book.count--;
        }
      if (holders.size === 0) book.given.delete(digest);
    }
  }
}
