import { DrayError } from "../../errors.ts";
import { decodeText, encodeText } from "../../tar/index.ts";
import { grown } from "./columns.ts";

/** Paths of one tree at most, directories on the way counted, and bytes of their names: each is there for as long as the tree is read. */
const [mostPaths, mostOfNames] = [4_000_000, 64 * 1024 * 1024];

/** A path as a number. */
export type Node = number;

/** The root of the tree. */
export const rootNode: Node = 0;

/**
 * Every path of a tree as a small number: a name and the node it lies in, all names in one buffer. Half a million paths take about
 * twenty megabytes, where as many strings in a map take a hundred.
 */
export class PathTable {
  #count = 1;
  #parents = grown(new Uint32Array(0), 1);
  /** The node that was made last in each, and the one that was made before it in the same; 0, which is the root, means none. */
  #lasts = grown(new Uint32Array(0), 1);
  #befores = grown(new Uint32Array(0), 1);
  /** Where the name of each node begins; the name ends where that of the next begins. */
  #starts = grown(new Uint32Array(0), 2);
  #names = new Uint8Array(4096);
  /** The same bytes, as text is read from them: a view for each name would be more than the name. */
  #text = Buffer.from(this.#names.buffer);
  /** The path of the node that was asked for last: most lie where the one before lies. */
  #above: { readonly node: Node; readonly path: string } = { node: rootNode, path: "" };
  /** Nodes by their hash, open addressing; 0 means none. */
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
    const slot = this.#slotOf(parent, length);
    const node = this.#slots[slot] as Node;
    return node === 0 ? this.#add(slot, parent, length) : node;
  }

  /** The same where there is one. */
  find(parent: Node, name: string): Node | undefined {
    const node = this.#slots[this.#slotOf(parent, this.#put(name))] as Node;
    return node === 0 ? undefined : node;
  }

  /** The node that a node lies in; the root lies in itself. */
  parent(node: Node): Node {
    return this.#parents[node] as Node;
  }

  /** Nodes that lie in a node, sorted by the bytes of their names. */
  children(node: Node): Uint32Array {
    let found = new Uint32Array(16);
    let count = 0;
    for (let at = this.#lasts[node] as Node; at !== 0; at = this.#befores[at] as Node) {
      found = grown(found, count + 1);
      found[count++] = at;
    }
    return found.subarray(0, count).sort((a, b) => this.#compare(a, b));
  }

  /** The last part of a path. */
  name(node: Node): string {
    const [start, end] = [this.#starts[node] as number, this.#starts[node + 1] as number];
    for (let i = start; i < end; i++)
      if ((this.#names[i] as number) > 0x7f) return decodeText(this.#names.subarray(start, end));
    return this.#text.toString("latin1", start, end);
  }

  /** From the root, without slashes around: `usr/bin/env`; the root is `""`. */
  path(node: Node): string {
    if (node === rootNode) return "";
    const above = this.parent(node);
    if (above === rootNode) return this.name(node);
    if (above !== this.#above.node) this.#above = { node: above, path: this.path(above) };
    return `${this.#above.path}/${this.name(node)}`;
  }

  /** Puts the bytes of a name behind those that are there, and says how many. */
  #put(name: string): number {
    const start = this.#starts[this.#count] as number;
    this.#names = grown(this.#names, start + name.length * 3);
    const names = this.#names;
    if (this.#text.buffer !== names.buffer) this.#text = Buffer.from(names.buffer);
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

  /** Where the node stands, or would, whose name was put behind those that are there. */
  #slotOf(parent: Node, length: number): number {
    const [start, names, slots] = [this.#starts[this.#count] as number, this.#names, this.#slots];
    const mask = slots.length - 1;
    for (let at = this.#hash(parent, start, start + length) & mask; ; at = (at + 1) & mask) {
      const node = slots[at] as Node;
      if (node === 0 || (this.#parents[node] === parent && this.#isNamed(node, names, start, length))) return at;
    }
  }

  #hash(parent: Node, start: number, end: number): number {
    const names = this.#names;
    let hash = Math.imul(this.#seed ^ parent, 0x9e3779b1);
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (names[i] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  #isNamed(node: Node, names: Uint8Array, start: number, length: number): boolean {
    const at = this.#starts[node] as number;
    if ((this.#starts[node + 1] as number) - at !== length) return false;
    for (let i = 0; i < length; i++) if (names[at + i] !== names[start + i]) return false;
    return true;
  }

  #compare(one: Node, other: Node): number {
    const [names, starts] = [this.#names, this.#starts];
    let [a, b] = [starts[one] as number, starts[other] as number];
    const [endOfOne, endOfOther] = [starts[one + 1] as number, starts[other + 1] as number];
    for (; a < endOfOne && b < endOfOther; a++, b++)
      if (names[a] !== names[b]) return (names[a] as number) - (names[b] as number);
    return endOfOne - a - (endOfOther - b);
  }

  #add(slot: number, parent: Node, length: number): Node {
    if (this.#count > mostPaths)
      throw new DrayError("LIMIT_EXCEEDED", `there are more than ${mostPaths} paths in these layers`);
    const node = this.#count++;
    const end = (this.#starts[node] as number) + length;
    if (end > mostOfNames)
      throw new DrayError("LIMIT_EXCEEDED", `the names in these layers have more than ${mostOfNames} bytes together`);
    this.#parents = grown(this.#parents, node + 1);
    this.#lasts = grown(this.#lasts, node + 1);
    this.#befores = grown(this.#befores, node + 1);
    this.#starts = grown(this.#starts, node + 2);
    this.#parents[node] = parent;
    this.#befores[node] = this.#lasts[parent] as Node;
    this.#lasts[parent] = node;
    this.#starts[node + 1] = end;
    this.#slots[slot] = node;
    if (this.#count * 3 > this.#slots.length * 2) this.#rehash();
    return node;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let node = 1; node < this.#count; node++) {
      const [start, end] = [this.#starts[node] as number, this.#starts[node + 1] as number];
      let at = this.#hash(this.#parents[node] as Node, start, end) & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = node;
    }
    this.#slots.buffer.transfer(0);
    this.#slots = slots;
  }
}
