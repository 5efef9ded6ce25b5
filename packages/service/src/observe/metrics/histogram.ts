/** How many values lay at or below each bound. Plain numbers, because it is filled with every request and read once in a quarter of a minute. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** The last one: beyond every bound. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  /** Buckets as they are told: each counts what lies in the ones before it, too. */
  read(): { readonly buckets: readonly (readonly [bound: string, count: number])[]; sum: number; count: number } {
    let count = 0;
    const buckets = Array.from(this.#counts, (own, at) => {
      count += own;
      const bound = this.#bounds[at];
      return [bound === undefined ? "+Inf" : String(bound), count] as const;
    });
    return { buckets, sum: this.#sum, count };
  }
}
