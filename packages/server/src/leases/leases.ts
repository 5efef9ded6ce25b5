import type { Digest } from "dray/oci";
import { CoarseFilter } from "./coarse-filter.ts";

/** Promises remembered one by one, some 500 bytes each. */
const most = 200_000;
/** Of those, looked at in one go when some may have ended. */
const atOnce = 16;

interface Given {
  readonly digest: Digest;
  readonly repository: string;
  /** Who was told. */
  readonly by: string;
  readonly at: number;
}

/** Promises as they are remembered. */
interface Book {
  /** By digest, then by repository and address. */
  readonly given: Map<Digest, Map<string, Given>>;
  /** Longest ago first: all of them, and those of each address. */
  readonly all: Set<Given>;
  readonly byAddress: Map<string, Set<Given>>;
  /** Those that were more than fit, by digest alone. */
  readonly coarse: CoarseFilter;
  /** The address that has more than half of them. */
  heavy: string | undefined;
  /** When it was last told that there are more than fit, and that an address loses some. */
  readonly told: { more: number; lost: number };
}

/**
 * Promises that a blob will still be there: recorded before the answer that makes a client skip an upload (HEAD, mount, commit),
 * kept for a time, and on while any upload is open in the repository. They live in memory: nothing is swept within one lease of
 * the start, so a restart forgets none that matters. Where there are more than fit, the oldest are kept on by their digests alone, in
 * every repository: first those of an address that has most of them, which may be one client or all that come through a proxy. Where
 * there are too many for that as well, such an address loses its own oldest, and nobody else any. What clients are told of is touched
 * as well, so that the grace counts from there.
 */
export class Leases {
  readonly #book: Book;
  readonly #length: number;
  readonly #now: () => number;
  readonly #uploading: (repository: string) => boolean;
  readonly #onNotice: (message: string) => void;
  readonly #sweepFrom: number;
  readonly #most: number;
  #swept: number;
  #sweeping: Iterator<Given, undefined> | undefined;

  constructor(options: {
    /** Milliseconds. */
    readonly length: number;
    /** Milliseconds that go on evenly: a clock that is set must not end promises. */
    readonly now: () => number;
    /** Whether any upload is open in a repository. */
    readonly uploading: (repository: string) => boolean;
    /** Promises remembered one by one. Default 200,000. */
    readonly most?: number;
    /** Promises kept by their digests alone before an address that has most of all loses its own. Default 3 million. */
    readonly mostCoarse?: number;
    /** Hears when there are more. */
    readonly onNotice?: (message: string) => void;
    /** Those whose promises these are, too. */
    readonly of?: Leases;
  }) {
    const { length, now, uploading, of } = options;
    this.#book = of === undefined ? emptyBook(length, options.mostCoarse) : of.#book;
    this.#most = options.most ?? most;
    this.#length = length;
    this.#now = now;
    this.#uploading = uploading;
    this.#onNotice = options.onNotice ?? (() => {});
    this.#swept = now();
    this.#sweepFrom = length + (of === undefined ? now() : of.#sweepFrom - of.#length);
  }

  /** Milliseconds before which nothing may be swept; 0: it may. */
  get wait(): number {
    return Math.max(0, this.#sweepFrom - this.#now());
  }

  /** The same promises, as if they held for a shorter time. `0`: none counts, because nobody pushes. */
  lasting(length: number): Leases {
    if (length >= this.#length) return this;
    const uploading = length === 0 ? () => false : this.#uploading;
    return new Leases({ length, now: this.#now, uploading, of: this });
  }

  /**
   * Promises a digest to whoever pushes to a repository.
   * @param by the address that was told; `""` for what was pushed just now, which cost its client more than asking: it counts for no address
   */
  record(repository: string, digest: Digest, by = ""): void {
    const now = this.#now();
    const { given, all, byAddress } = this.#book;
    const key = `${repository}\0${by}`;
    const before = given.get(digest)?.get(key);
    if (before !== undefined) this.#drop(before);
    const promise = { digest, repository, by, at: now };
    entryOf(given, digest, () => new Map<string, Given>()).set(key, promise);
    all.add(promise);
    const own = entryOf(byAddress, by, () => new Set<Given>());
    own.add(promise);
    if (by !== "" && own.size > this.#most / 2) this.#book.heavy = by;
    this.#forget(now);
    if (all.size > this.#most) this.#overflow(now);
  }

  /** Whether a digest is promised to anybody, or in one repository. */
  holds(digest: Digest, repository?: string): boolean {
    const { given, coarse } = this.#book;
    const now = this.#now();
    for (const promise of given.get(digest)?.values() ?? [])
      if ((repository === undefined || promise.repository === repository) && this.#lives(promise, now)) return true;
    return coarse.has(digest, now, this.#length);
  }

  /** Repositories that a digest was promised in lately: where a mount may look for it. */
  repositories(digest: Digest): string[] {
    const promises = this.#book.given.get(digest)?.values() ?? [];
    return [...new Set([...promises].map(({ repository }) => repository))];
  }

  #lives({ at, repository }: Given, now: number): boolean {
    return at + this.#length > now || this.#uploading(repository);
  }

  #overflow(now: number): void {
    const { all, byAddress, coarse, heavy } = this.#book;
    const own = heavy === undefined ? undefined : byAddress.get(heavy);
    const isHeavy = own !== undefined && own.size > this.#most / 2;
    if (!isHeavy) this.#book.heavy = undefined;
    const [oldest] = isHeavy ? own : all;
    if (oldest === undefined) return;
    this.#drop(oldest);
    if (!isHeavy || !coarse.isFull) {
      coarse.add(oldest.digest, now);
      const message = `clients were told of more than ${this.#most} blobs within one lease${isHeavy ? `, most of them ${heavy}` : ""}: the oldest promises are kept by their digests alone, and gc leaves these digests and a few others alone`;
      this.#tell("more", message, now);
    } else {
      const message = `${heavy} was told of so many blobs within one lease that its own oldest promises are dropped; where it is a proxy of many clients, name it in dray.trustedproxies`;
      this.#tell("lost", message, now);
    }
  }

  /** Once in a lease. */
  #tell(what: keyof Book["told"], message: string, now: number): void {
    const { told } = this.#book;
    if (now - told[what] <= this.#length) return;
    told[what] = now;
    this.#onNotice(message);
  }

  #drop(promise: Given): void {
    const { given, all, byAddress } = this.#book;
    all.delete(promise);
    const own = byAddress.get(promise.by);
    own?.delete(promise);
    if (own?.size === 0) byAddress.delete(promise.by);
    const promises = given.get(promise.digest);
    promises?.delete(`${promise.repository}\0${promise.by}`);
    if (promises?.size === 0) given.delete(promise.digest);
  }

  /** A few at a time, since there may be very many: each promise that comes lets some go that have ended. */
  #forget(now: number): void {
    if (this.#sweeping === undefined) {
      if (now - this.#swept <= this.#length) return;
      this.#swept = now;
      this.#sweeping = this.#book.all.values();
    }
    for (let looked = 0; looked < atOnce; looked++) {
      const { done, value: promise } = this.#sweeping.next();
      // All that follow are younger.
      if (done === true || promise.at + this.#length > now) {
        this.#sweeping = undefined;
        return;
      }
      if (!this.#lives(promise, now)) this.#drop(promise);
    }
  }
}

const emptyBook = (length: number, mostCoarse?: number): Book => ({
  given: new Map(),
  all: new Set(),
  byAddress: new Map(),
  coarse: new CoarseFilter(length, mostCoarse),
  heavy: undefined,
  told: { more: Number.NEGATIVE_INFINITY, lost: Number.NEGATIVE_INFINITY },
});

const entryOf = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const there = map.get(key);
  if (there !== undefined) return there;
  const made = make();
  map.set(key, made);
  return made;
};
