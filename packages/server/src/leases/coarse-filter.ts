import { type Digest, hexOf } from "dray/oci";

/** 4 MiB: of three million digests one in a hundred others is taken for one of them. */
const bits = 2 ** 25;
const places = 4;

/** Digests that it holds well. */
const well = 3_000_000;

interface Generation {
  readonly from: number;
  /** When the last one came. */
  last: number;
  readonly field: Uint8Array;
  /** Digests that were none of those before. */
  count: number;
}

/**
 * Digests that were promised lately, in a memory that does not grow: a Bloom filter for each lease's length of time. It never forgets one
 * too early, and the more it has to hold the more others it takes for one of them: use it for what is kept alone.
 */
export class CoarseFilter {
  readonly #length: number;
  readonly #well: number;
  #generations: Generation[] = [];

  /**
   * @param length milliseconds for which each is remembered at least
   * @param most digests of one lease that it holds well
   */
  constructor(length: number, most: number = well) {
    this.#length = length;
    this.#well = most;
  }

  /** Whether more would make it take many others for one of them. */
  get isFull(): boolean {
    return (this.#generations.at(-1)?.count ?? 0) >= this.#well;
  }

  add(digest: Digest, now: number): void {
    this.#generations = this.#generations.filter(({ last }) => last + this.#length > now);
    let current = this.#generations.at(-1);
    if (current === undefined || now - current.from > this.#length) {
      current = { from: now, last: now, field: new Uint8Array(bits / 8), count: 0 };
      this.#generations.push(current);
    }
    current.last = now;
    let isNew = false;
    for (const at of placesOf(digest)) {
      const before = current.field[at >> 3] ?? 0;
      const after = before | (1 << (at & 7));
      isNew ||= after !== before;
      current.field[at >> 3] = after;
    }
    if (isNew) current.count++;
  }

  /** Whether it came within this time. */
  has(digest: Digest, now: number, length: number): boolean {
    return this.#generations.some(
      ({ last, field }) =>
        last + length > now && placesOf(digest).every((at) => ((field[at >> 3] ?? 0) & (1 << (at & 7))) !== 0),
    );
  }
}

/** Digests are evenly spread already: each place is a part of it. */
const placesOf = (digest: Digest): number[] =>
  Array.from({ length: places }, (_, i) => Number.parseInt(hexOf(digest).slice(i * 8, i * 8 + 7), 16) % bits);
