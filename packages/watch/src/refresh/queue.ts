/** A repository that waits for its turn. */
export interface Waiting {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly due: number;
}

/**
 * The repositories of one registry by the time at which each is due: the earliest first, and of those that are due at the same time the one that
 * came first, so that a repository that has a lot to do goes behind the others after each turn. A binary heap.
 */
export class DueQueue {
  readonly #heap: { readonly name: string; readonly due: number; readonly order: number }[] = [];
  /** What counts of a name that was put in again. */
  readonly #valid = new Map<string, number>();
  #order = 0;

  get size(): number {
    return this.#valid.size;
  }

  /** Puts a repository in, or at another time. */
  put(name: string, due: number): void {
    const entry = { name, due, order: this.#order++ };
    this.#valid.set(name, entry.order);
    this.#heap.push(entry);
    for (let at = this.#heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#before(at, above)) break;
      this.#swap(at, above);
      at = above;
    }
  }

  remove(name: string): void {
    this.#valid.delete(name);
  }

  /** The next one, which stays. */
  peek(): Waiting | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#valid.get(first.name) === first.order) return first;
      this.#drop();
    }
    return undefined;
  }

  /** Takes the next one, if it is due. */
  take(now: number): Waiting | undefined {
    const first = this.peek();
    if (first === undefined || first.due > now) return undefined;
    this.#valid.delete(first.name);
    this.#drop();
    return first;
  }

  #drop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < this.#heap.length && this.#before(left, least)) least = left;
      if (right < this.#heap.length && this.#before(right, least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return false;
    return one.due < other.due || (one.due === other.due && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one !== undefined) this.#heap[b] = one;
    if (other !== undefined) this.#heap[a] = other;
  }
}
