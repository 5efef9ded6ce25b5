import { type Digest, hexOf } from "dray/oci";

/** Parts that grow each by itself: one of millions would keep everybody waiting while it grows. */
const parts = 256;

/**
 * Millions of digests in some twenty bytes each, by their first 52 bits. It may take one digest for another, in the ways of chance;
 * so use it only for what stays.
 */
export class DigestSet {
  readonly #parts = new Map<number, Part>();

  add(digest: Digest): void {
    const key = keyOf(digest);
    const at = key % parts;
    let part = this.#parts.get(at);
    if (part === undefined) {
      part = new Part();
      this.#parts.set(at, part);
    }
    part.add(key);
  }

  has(digest: Digest): boolean {
    const key = keyOf(digest);
    return this.#parts.get(key % parts)?.has(key) === true;
  }

  get size(): number {
    return [...this.#parts.values()].reduce((sum, part) => sum + part.size, 0);
  }
}

class Part {
  /** Open addressing; 0 is an empty place. */
  #places = new Float64Array(16);
  #size = 0;

  add(key: number): void {
    const place = this.#find(key);
    if (this.#places[place] === key) return;
    this.#places[place] = key;
    if (++this.#size * 3 > this.#places.length * 2) this.#grow();
  }

  has(key: number): boolean {
    return this.#places[this.#find(key)] === key;
  }

  get size(): number {
    return this.#size;
  }

  /** Where a key is, or where it would be. */
  #find(key: number): number {
    const { length } = this.#places;
    // Digests are evenly spread already.
    let place = Math.floor(key / parts) % length;
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
