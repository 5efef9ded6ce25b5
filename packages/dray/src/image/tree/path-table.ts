import { DrayError } from "../../errors.ts";
import { decodeText, encodeText } from "../../tar/index.ts";

/** Paths of one tree at most, directories on the way counted: each takes some fifty bytes for as long as the tree is read. */
export const mostPaths = 4_000_000;

/** A path as a number. */
export type Node = number;

/** The root of the tree. */
export const rootNode: Node = 0;

/** A column of numbers, one for each node. */
type Column = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** A column with room for so many numbers, what was there among them. The old one is gone at once: a collector would learn of its size late. */
export const grown = <C extends Column>(column: C, length: number): C => {
  if (column.length >= length) return column;
  const room = Math.max(length, column.length + (column.length >> 2), 1024);
  const kind = column.constructor as new (buffer: ArrayBuffer) => C;
  return new kind(column.buffer.transfer(room * column.BYTES_PER_ELEMENT));
};

/**
 * Every path of a tree as a small number: a name and the node it lies in, all names in one buffer. Half a million paths take about
 * twenty megabytes, where as many strings in a map take a hundred.
 */
export class PathTable {
  #count = 1;
  #parents = grown(new Uint32Array(0), 1);
  /** Where the name of each node begins; the name ends where that of the next begins. */
  #starts = grown(new Uint32Array(0), 2);
  #names = new Uint8Array(4096);
  /** Nodes by their hash, open addressing; 0, which is the root, means none. */
  #slots = new Uint32Array(1024);
  /** Nobody can make names that all fall into one slot without knowing it. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);

  /** Nodes so far. */
  get count(): number {
    return this.#count;
  }

  /** The node of a name in another, made where there was none. @throws DrayError `LIMIT_EXCEEDED` */
  child(parent: Node, name: string): Node {
    const length = this.#put(name);
    const [start, names] = [this.#starts[this.#count] as number, this.#names];
    let hash = Math.imul(this.#seed ^ parent, 0x9e3779b1);
    for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ (names[i] as number), 0x01000193);
    const mask = this.#slots.length - 1;
    for (let at = mixed(hash) & mask; ; at = (at + 1) & mask) {
      const node = this.#slots[at] as Node;
      if (node === 0) return this.#add(at, parent, length);
      if (this.#parents[node] === parent && this.#isNamed(node, start, length)) return node;
    }
  }

  /** The node that a node lies in; the root lies in itself. */
  parent(node: Node): Node {
    return this.#parents[node] as Node;
  }

  /** From the root, without slashes around: `usr/bin/env`; the root is `""`. */
  path(node: Node): string {
    if (node === rootNode) return "";
    const name = decodeText(this.#names.subarray(this.#starts[node], this.#starts[node + 1]));
    const above = this.parent(node);
    return above === rootNode ? name : `${this.path(above)}/${name}`;
  }

  /** Puts the bytes of a name behind those that are there, and says how many. */
  #put(name: string): number {
    const start = this.#starts[this.#count] as number;
    this.#names = grown(this.#names, start + name.length * 3);
    const names = this.#names;
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i);
      if (code > 0x7f) {
        const bytes = encodeText(name);
        names.set(bytes, start);
        return bytes.byteLength;
      }
      names[start + i] = code;
    }
    return name.length;
  }

  #isNamed(node: Node, start: number, length: number): boolean {
    const [at, names] = [this.#starts[node] as number, this.#names];
    if ((this.#starts[node + 1] as number) - at !== length) return false;
    for (let i = 0; i < length; i++) if (names[at + i] !== names[start + i]) return false;
    return true;
  }

  #add(slot: number, parent: Node, length: number): Node {
    if (this.#count > mostPaths)
      throw new DrayError("LIMIT_EXCEEDED", `there are more than ${mostPaths} paths in these layers`);
    const node = this.#count++;
    this.#parents = grown(this.#parents, node + 1);
    this.#starts = grown(this.#starts, node + 2);
    this.#parents[node] = parent;
    this.#starts[node + 1] = (this.#starts[node] as number) + length;
    this.#slots[slot] = node;
    if (this.#count * 3 > this.#slots.length * 2) this.#rehash();
    return node;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let node = 1; node < this.#count; node++) {
      let hash = Math.imul(this.#seed ^ (this.#parents[node] as Node), 0x9e3779b1);
      const end = this.#starts[node + 1] as number;
      for (let i = this.#starts[node] as number; i < end; i++)
        hash = Math.imul(hash ^ (this.#names[i] as number), 0x01000193);
      let at = mixed(hash) & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = node;
    }
    this.#slots.buffer.transfer(0);
    this.#slots = slots;
  }
}

const mixed = (hash: number): number => {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (half ^ (half >>> 13)) >>> 0;
};
