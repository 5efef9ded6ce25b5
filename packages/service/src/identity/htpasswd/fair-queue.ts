/**
 * Bounded queue that is fair to places: who was served least comes first, within a place who came first. So whoever asks without end
 * waits behind whoever asks once, and fills no queue but his own: where all is full, the place with most in it loses its newest.
 */
export class FairQueue<T> {
  readonly #most: number;
  readonly #places = new Map<string, T[]>();
  /** How often each place was served since nobody waited. */
  readonly #served = new Map<string, number>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Gives what has to leave for it, which may be itself. `cheap`: who is the first to leave where all is full. */
  push(place: string, item: T, cheap: (item: T) => boolean): T | undefined {
    const there = this.#places.get(place);
    if (there === undefined) this.#places.set(place, [item]);
    else there.push(item);
    return ++this.#size > this.#most ? this.#shorten(cheap) : undefined;
  }

  /** Takes out who comes next. */
  next(): { readonly place: string; readonly item: T } | undefined {
    let first: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const place of this.#places.keys()) {
      const served = this.#served.get(place) ?? 0;
      if (served >= least) continue;
      least = served;
      first = place;
    }
    if (first === undefined) return undefined;
    const item = this.#take(first, 0);
    return item === undefined ? undefined : { place: first, item };
  }

  /** Counts what was done for a place. Forgotten when nobody waits: then nobody has to be preferred. */
  served(place: string): void {
    if (this.#size === 0) this.#served.clear();
    else this.#served.set(place, (this.#served.get(place) ?? 0) + 1);
  }

  /** Takes all out. */
  clear(): T[] {
    const all = [...this.#places.values()].flat();
    this.#places.clear();
    this.#served.clear();
    this.#size = 0;
    return all;
  }

  #shorten(cheap: (item: T) => boolean): T | undefined {
    let longest: string | undefined;
    let length = 0;
    for (const [place, waiting] of this.#places)
      if (waiting.length > length) {
        length = waiting.length;
        longest = place;
      }
    if (longest === undefined) return undefined;
    const found = this.#places.get(longest)?.findLastIndex(cheap) ?? -1;
    return this.#take(longest, found < 0 ? length - 1 : found);
  }

  #take(place: string, at: number): T | undefined {
    const waiting = this.#places.get(place);
    const [item] = waiting?.splice(at, 1) ?? [];
    if (waiting?.length === 0) this.#places.delete(place);
    this.#size--;
    return item;
  }
}
