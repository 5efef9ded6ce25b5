import type { Digest } from "dray/oci";

/**
 * Promises that a blob will still be there: recorded before the answer that makes a client skip an upload (HEAD, mount, commit),
 * kept for a time, and on while any upload is open in the repository. They live in memory: nothing is swept within one lease of
 * the start, so a restart forgets none that matters.
 */
export class Leases {
  readonly #until = new Map<Digest, Map<string, number>>();
  readonly #length: number;
  readonly #now: () => number;
  readonly #uploading: (repository: string) => boolean;
  /** Nothing may be swept before; milliseconds since 1970. */
  readonly sweepFrom: number;
  #swept: number;

  constructor(options: {
    /** Milliseconds. */
    readonly length: number;
    readonly now: () => number;
    /** Whether any upload is open in a repository. */
    readonly uploading: (repository: string) => boolean;
  }) {
    this.#length = options.length;
    this.#now = options.now;
    this.#uploading = options.uploading;
    this.#swept = options.now();
    this.sweepFrom = options.now() + options.length;
  }

  /** Promises a digest to whoever pushes to a repository. */
  record(repository: string, digest: Digest): void {
    const now = this.#now();
    let holders = this.#until.get(digest);
    if (holders === undefined) {
      holders = new Map();
      this.#until.set(digest, holders);
    }
    holders.set(repository, now + this.#length);
    if (now - this.#swept > this.#length) this.#forget(now);
  }

  /** Whether a digest is promised to anybody, or in one repository. */
  holds(digest: Digest, repository?: string): boolean {
    const holders = this.#until.get(digest);
    if (holders === undefined) return false;
    const now = this.#now();
    const lives = ([name, until]: readonly [string, number]): boolean => until > now || this.#uploading(name);
    if (repository === undefined) return [...holders].some(lives);
    const until = holders.get(repository);
    return until !== undefined && lives([repository, until]);
  }

  /** Repositories that a digest was promised in lately: where a mount may look for it. */
  repositories(digest: Digest): string[] {
    return [...(this.#until.get(digest)?.keys() ?? [])];
  }

  #forget(now: number): void {
    this.#swept = now;
    for (const [digest, holders] of this.#until) {
      for (const [repository, until] of holders)
        if (until <= now && !this.#uploading(repository)) holders.delete(repository);
      if (holders.size === 0) this.#until.delete(digest);
    }
  }
}
