import { networkAround } from "../address.ts";

/** Networks, and places, of which is remembered how often they were served. */
const remembered = 4096;

/**
 * Bounded queue that is fair to networks, within one to its places, and within a place to names, of which it gives who came first: of each
 * kind, who was served least comes first. So whoever asks without end waits behind whoever asks once, however many addresses of a network it asks from, and
 * fills no queue but his own: where all is full, the network with most in it loses the newest of its fullest place.
 */
export class FairQueue<T> {
  readonly #most: number;
  readonly #nameOf: (item: T) => string | undefined;
  readonly #networks = new Map<string, Map<string, T[]>>();
  /** How often each network, and each place, was served since nobody waited. */
  readonly #servedNetworks = new Map<string, number>();
  readonly #servedPlaces = new Map<string, number>();
  readonly #servedNames = new Map<string, number>();
  #size = 0;

  /** @param nameOf what it is about, where that is one of few; default: nothing */
  constructor(most: number, nameOf: (item: T) => string | undefined = () => undefined) {
    this.#most = most;
    this.#nameOf = nameOf;
  }

  get size(): number {
    return this.#size;
  }

  /** Gives what has to leave for it, which may be itself. `cheap`: who is the first to leave where all is full. */
  push(place: string, item: T, cheap: (item: T) => boolean): T | undefined {
    const name = networkAround(place);
    const network = this.#networks.get(name) ?? new Map<string, T[]>();
    this.#networks.set(name, network);
    const there = network.get(place);
    if (there === undefined) network.set(place, [item]);
    else there.push(item);
    return ++this.#size > this.#most ? this.#shorten(cheap) : undefined;
  }

  /** Takes out who comes next. */
  next(): { readonly place: string; readonly item: T } | undefined {
    const name = least(this.#networks.keys(), this.#servedNetworks);
    const network = name === undefined ? undefined : this.#networks.get(name);
    const place = network && least(network.keys(), this.#servedPlaces);
    if (place === undefined) return undefined;
    const item = this.#take(place, this.#first(place, network?.get(place) ?? []));
    return item === undefined ? undefined : { place, item };
  }

  /** Counts what was done for an item of a place. Forgotten when nobody waits: then nobody has to be preferred. */
  served(place: string, item: T): void {
    if (this.#size === 0) return this.#forget();
    count(this.#servedNetworks, networkAround(place));
    count(this.#servedPlaces, place);
    const name = this.#nameOf(item);
    if (name !== undefined) count(this.#servedNames, `${place} ${name}`);
  }

  /** Takes all out. */
  clear(): T[] {
    const all = [...this.#networks.values()].flatMap((network) => [...network.values()].flat());
    this.#networks.clear();
    this.#forget();
    this.#size = 0;
    return all;
  }

  #forget(): void {
    this.#servedNetworks.clear();
    this.#servedPlaces.clear();
    this.#servedNames.clear();
  }

  /** Where the first of the name stands that was served least. */
  #first(place: string, waiting: readonly T[]): number {
    let [first, fewest] = [0, Number.POSITIVE_INFINITY];
    for (let at = 0; at < waiting.length && fewest > 0; at++) {
      const name = this.#nameOf(waiting[at] as T);
      const times = name === undefined ? 0 : (this.#servedNames.get(`${place} ${name}`) ?? 0);
      if (times < fewest) [first, fewest] = [at, times];
    }
    return first;
  }

  #shorten(cheap: (item: T) => boolean): T | undefined {
    const fullest = most(this.#networks.values(), waitingIn);
    const longest = fullest && most(fullest, ([, waiting]) => waiting.length);
    if (longest === undefined) return undefined;
    const [place, waiting] = longest;
    const found = waiting.findLastIndex(cheap);
    return this.#take(place, found < 0 ? waiting.length - 1 : found);
  }

  #take(place: string, at: number): T | undefined {
    const name = networkAround(place);
    const network = this.#networks.get(name);
    const waiting = network?.get(place);
    const [item] = waiting?.splice(at, 1) ?? [];
    if (waiting?.length === 0) network?.delete(place);
    if (network?.size === 0) this.#networks.delete(name);
    this.#size--;
    return item;
  }
}

/** Who was served least; the first of several. */
const least = (names: Iterable<string>, served: ReadonlyMap<string, number>): string | undefined => {
  let [first, fewest]: [string | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const name of names) {
    const times = served.get(name) ?? 0;
    if (times < fewest) [first, fewest] = [name, times];
  }
  return first;
};

/** What has most; the first of several. */
const most = <E>(entries: Iterable<E>, amountOf: (entry: E) => number): E | undefined => {
  let [first, largest]: [E | undefined, number] = [undefined, 0];
  for (const entry of entries) {
    const amount = amountOf(entry);
    if (amount > largest) [first, largest] = [entry, amount];
  }
  return first;
};

const waitingIn = (network: ReadonlyMap<string, readonly unknown[]>): number => {
  let sum = 0;
  for (const waiting of network.values()) sum += waiting.length;
  return sum;
};

/** Who was not served for longest is forgotten where they are many. */
const count = (served: Map<string, number>, name: string): void => {
  const times = served.get(name) ?? 0;
  served.delete(name);
  served.set(name, times + 1);
  if (served.size <= remembered) return;
  const [oldest] = served.keys();
  if (oldest !== undefined) served.delete(oldest);
};
