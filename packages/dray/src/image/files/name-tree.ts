import { decodeText, encodeText, isWellFormed } from "../../tar/index.ts";
import { grown } from "./grown.ts";

const encoder = new TextEncoder();

/** What stands for no name. */
const none = 0xffffffff;

/**
 * Paths as a tree of names, each a number, in a few buffers: half a million of them take 20 MiB, where objects and strings would take 150.
 * The root is 0. A name once there stays.
 */
export class NameTree {
  #count = 0;
  #parents = new Uint32Array(1024);
  #firstChildren = new Uint32Array(1024);
  #siblings = new Uint32Array(1024);
  #starts = new Uint32Array(1025);
  #text = new Uint8Array(16 * 1024);
  /** Numbers by hash of parent and name; 0 is a free place, since nobody looks for the root. */
  #table = new Uint32Array(2048);
  #scratch = new Uint8Array(1024);

  constructor() {
    this.#add(none, new Uint8Array(0));
  }

  /** Names there are, the root's among them. */
  get size(): number {
    return this.#count;
  }

  /** Bytes of all names. */
  get bytes(): number {
    return this.#starts[this.#count] as number;
  }

  parent(node: number): number {
    return this.#parents[node] as number;
  }

  name(node: number): string {
    return decodeText(this.#nameBytes(node));
  }

  /** From the root: `/etc/passwd`. */
  path(node: number): string {
    const names: string[] = [];
    for (let at = node; at !== 0; at = this.parent(at)) names.push(this.name(at));
    return `/${names.reverse().join("/")}`;
  }

  child(parent: number, name: string): number | undefined {
    const found = this.#table[this.#place(parent, this.#encoded(name))] as number;
    return found === 0 ? undefined : found;
  }

  /** The child of that name, which is made where it is not there. */
  childOf(parent: number, name: string): number {
    const bytes = this.#encoded(name);
    let place = this.#place(parent, bytes);
    const found = this.#table[place] as number;
    if (found !== 0) return found;
    if (this.#count * 2 > this.#table.length) {
      this.#rehash();
      place = this.#place(parent, bytes);
    }
    const made = this.#add(parent, bytes);
    this.#table[place] = made;
    this.#siblings[made] = this.#firstChildren[parent] as number;
    this.#firstChildren[parent] = made;
    return made;
  }

  /** In no order. */
  *children(node: number): Generator<number> {
    for (let at = this.#firstChildren[node] as number; at !== none; at = this.#siblings[at] as number) yield at;
  }

  #add(parent: number, name: Uint8Array): number {
    const node = this.#count++;
    this.#parents = grown(this.#parents, this.#count);
    this.#firstChildren = grown(this.#firstChildren, this.#count);
    this.#siblings = grown(this.#siblings, this.#count);
    this.#starts = grown(this.#starts, this.#count + 1);
    const start = this.#starts[node] as number;
    this.#text = grown(this.#text, start + name.byteLength);
    this.#text.set(name, start);
    this.#starts[node + 1] = start + name.byteLength;
    this.#parents[node] = parent;
    this.#firstChildren[node] = none;
    this.#siblings[node] = none;
    return node;
  }

  #nameBytes(node: number): Uint8Array {
    return this.#text.subarray(this.#starts[node], this.#starts[node + 1]);
  }

  #encoded(name: string): Uint8Array {
    if (!isWellFormed(name)) return encodeText(name);
    if (name.length * 3 > this.#scratch.length) this.#scratch = new Uint8Array(name.length * 3);
    return this.#scratch.subarray(0, encoder.encodeInto(name, this.#scratch).written);
  }

  /** Where a name stands in the table, or would. */
  #place(parent: number, name: Uint8Array): number {
    const mask = this.#table.length - 1;
    let place = hashOf(parent, name) & mask;
    for (;;) {
      const node = this.#table[place] as number;
      if (node === 0 || (this.#parents[node] === parent && this.#isNamed(node, name))) return place;
      place = (place + 1) & mask;
    }
  }

  #isNamed(node: number, name: Uint8Array): boolean {
    const start = this.#starts[node] as number;
    if ((this.#starts[node + 1] as number) - start !== name.byteLength) return false;
    const [text, length] = [this.#text, name.byteLength];
    for (let i = 0; i < length; i++) if (text[start + i] !== name[i]) return false;
    return true;
  }

  #rehash(): void {
    this.#table = new Uint32Array(this.#table.length * 2);
    for (let node = 1; node < this.#count; node++)
      this.#table[this.#place(this.parent(node), this.#nameBytes(node))] = node;
  }
}

/** FNV-1a, its bits mixed once more: places are its lowest bits. */
const hashOf = (parent: number, name: Uint8Array): number => {
  let hash = 0x811c9dc5 ^ parent;
  const length = name.byteLength;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (name[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
};
