import { type Digest, hexOf } from "dray/oci";

/**
 * Millions of digests in some twenty bytes each, by their first 52 bits. It may take one digest for another, in the ways of chance;
 * so use it only for what stays.
 */
export class DigestSet {
  /** Open addressing; 0 is an empty place. */
  #places = new Float64Array(1024);
  #size = 0;

  add(digest: Digest): void {
    const key = keyOf(digest);
    const place = this.#find(key);
    if (this.#places[place] === key) return;
    this.#places[place] = key;
    if (++this.#size * 3 > this.#places.length * 2) this.#grow();
  }

  has(digest: Digest): boolean {
    const key = keyOf(digest);
    return this.#places[this.#find(key)] === key;
  }

  get size(): number {
    return this.#size;
  }

  /** Where a key is, or where it would be. */
  #find(key: number): number {
    const { length } = this.#places;
    // Digests are evenly spread already.
    let place = key % length;
    while (this.#places[place] !== 0 && this.#places[place] !== key) place = (place + 1) % length;
    return place;
  }

  #grow(): void {
    const before = this.#places;
    this.#places = new Float64Array(before.length * 2);
    for (const key of before) if (key !== 0) this.#places[this.#find(key)] = key;
  }
}

const keyOf = (digest: Digest): number => Number.parseInt(hexOf(digest).slice(0, 13), 16) + 1;
