import { annotationKeys, type Descriptor, type Digest, type Index } from "../oci/index.ts";
import { entryOf, namesOf } from "./entries.ts";

/**
 * An index that is being changed: each change takes as long as the entries it touches, however many others there are. Members that we do not
 * know, and other entries, stay as they are, in their order.
 */
export class EditedIndex {
  readonly #before: Index;
  /** Entries in their order; those that were taken away leave a gap. */
  readonly #entries: (Descriptor | undefined)[] = [];
  /** Places of the entries that have a name, those without one by their digest, and all by their digest. */
  readonly #named: Places<string> = new Map();
  readonly #unnamed: Places<Digest> = new Map();
  readonly #ofDigest: Places<Digest> = new Map();
  #changed = false;

  constructor(index: Index) {
    this.#before = index;
    for (const entry of index.manifests) this.#put(entry, this.#entries.length);
  }

  /** The index as it is now: the very one it began with where nothing was changed. */
  get index(): Index {
    if (!this.#changed) return this.#before;
    return { ...this.#before, manifests: this.#entries.filter((entry) => entry !== undefined) };
  }

  /** What a name of ours or a digest stands for. */
  find(nameOrDigest: string): Descriptor | undefined {
    const [place] = this.#placesOf(nameOrDigest);
    return place === undefined ? undefined : this.#entries[place];
  }

  /**
   * Gives content a name: its entry takes the place of the one that has the name, or of its own unnamed one, or comes last.
   * The same again changes nothing.
   */
  name(descriptor: Descriptor, name: string): this {
    const entry = entryOf(descriptor, { [annotationKeys.refName]: name });
    const takes = [...(this.#named.get(name) ?? []), ...(this.#unnamed.get(entry.digest) ?? [])];
    const place = takes.reduce((first, each) => Math.min(first, each), this.#entries.length);
    const there = this.#entries[place];
    if (takes.length === 1 && there?.digest === entry.digest && namesOf(there)[0] === name) return this;
    for (const taken of takes) this.#take(taken);
    this.#put(entry, place);
    this.#changed = true;
    return this;
  }

  /** Sees to it that content has an entry, with a name or without. */
  enter(descriptor: Descriptor): this {
    if (this.#ofDigest.has(descriptor.digest)) return this;
    this.#put(entryOf(descriptor, {}), this.#entries.length);
    this.#changed = true;
    return this;
  }

  /** Takes away the entries that have this name or digest. */
  remove(nameOrDigest: string): this {
    for (const place of this.#placesOf(nameOrDigest)) {
      this.#take(place);
      this.#changed = true;
    }
    return this;
  }

  #placesOf(nameOrDigest: string): readonly number[] {
    return [...(this.#named.get(nameOrDigest) ?? []), ...(this.#ofDigest.get(nameOrDigest as Digest) ?? [])];
  }

  #put(entry: Descriptor, place: number): void {
    this.#entries[place] = entry;
    const names = namesOf(entry);
    for (const name of names) add(this.#named, name, place);
    if (names.length === 0) add(this.#unnamed, entry.digest, place);
    add(this.#ofDigest, entry.digest, place);
  }

  #take(place: number): void {
    const entry = this.#entries[place];
    if (entry === undefined) return;
    this.#entries[place] = undefined;
    for (const name of namesOf(entry)) drop(this.#named, name, place);
    drop(this.#unnamed, entry.digest, place);
    drop(this.#ofDigest, entry.digest, place);
  }
}

type Places<K> = Map<K, Set<number>>;

const add = <K>(places: Places<K>, key: K, place: number): void => {
  const others = places.get(key);
  if (others === undefined) places.set(key, new Set([place]));
  else others.add(place);
};

const drop = <K>(places: Places<K>, key: K, place: number): void => {
  const others = places.get(key);
  others?.delete(place);
  if (others?.size === 0) places.delete(key);
};
