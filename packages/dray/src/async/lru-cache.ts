export interface LruCacheOptions {
  /** Weight of the heaviest entry that is kept. Default an eighth of the bound: a heavier one would drive out all others. */
  readonly largest?: number;
}

/** LRU cache with a bound on the sum of the entries' weights (bytes, or 1 each): what was not used for longest is dropped first. */
export class LruCache<K, V> {
  readonly #entries = new Map<K, { readonly value: V; readonly weight: number }>();
  readonly #limit: number;
  readonly #largest: number;
  #weight = 0;

  constructor(limit: number, { largest = limit / 8 }: LruCacheOptions = {}) {
    this.#limit = limit;
    this.#largest = largest;
  }

  /** Of all entries together. */
  get weight(): number {
    return this.#weight;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // Moved to the young end only where there is something to gain: half full, nothing is dropped soon.
    if (this.#weight * 2 > this.#limit) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry.value;
  }

  set(key: K, value: V, weight = 1): void {
    this.delete(key);
    if (weight > this.#largest) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const [oldest, entry] of this.#entries) {
      if (this.#weight <= this.#limit) break;
      this.#entries.delete(oldest);
      this.#weight -= entry.weight;
    }
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }

  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }
}
