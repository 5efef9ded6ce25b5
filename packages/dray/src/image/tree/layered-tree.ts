import { throwIfAborted } from "../../errors.ts";
import type { Layer } from "../views.ts";
import { grown } from "./columns.ts";
import { type FilesReading, filesOf } from "./files-of.ts";
import type { LinkFacts, Output } from "./hard-links.ts";
import type { LayerEntry, LayerFiles } from "./layer-files.ts";
import { MergedTree, type Seen } from "./merged-tree.ts";
import type { Node, PathTable } from "./path-table.ts";
import { type EntryFacts, noRecord, Records } from "./records.ts";

/**
 * Sees each entry that is no directory while its layer is read: its record, and the places where it is seen in the tree, of which it may have none.
 */
export type Visit = (record: number, outputs: readonly Output[], entry: LayerEntry, files: LayerFiles) => Promise<void>;

/** How the layers of a tree are read. */
export interface LayeredOptions extends FilesReading {
  /** `true`: there are others below, which are not read. Default `false`. */
  readonly isPartial?: boolean | undefined;
}

/**
 * The tree that layers make together, kept as facts about each of its paths, where a layer is read when something depends on it, from the top
 * down and each once.
 */
export class LayeredTree {
  readonly records: Records = new Records();
  /** Bottom first. */
  readonly layers: readonly Layer[];
  readonly #tree = new MergedTree();
  /** By node: the record of what is there, and the node whose hard link it was when it came. */
  #heads = new Uint32Array(0);
  #links = new Uint32Array(0);
  readonly #files: LayerFiles[] = [];
  readonly #options: LayeredOptions;
  /** Records of the layer that is read, by the places of its entries. */
  #recordAt = new Uint32Array(0);
  /** The layer that is read next, counted from 1, the bottom. */
  #next: number;

  /** @param layers bottom first */
  constructor(layers: readonly Layer[], options: LayeredOptions = {}) {
    this.layers = layers;
    this.#options = options;
    this.#next = layers.length;
  }

  get paths(): PathTable {
    return this.#tree.paths;
  }

  /** Reads one layer more. `false`: there was none left. @throws DrayError as `treeEntries` */
  async readNext(visit?: Visit): Promise<boolean> {
    const number = this.#next;
    const layer = this.layers[number - 1];
    if (layer === undefined) return false;
    const files = await filesOf(layer, this.#options);
    this.#files[number - 1] = files;
    this.#tree.begin(number, `layer ${layer.descriptor.digest}`);
    let place = 0;
    for await (const entry of files.entries(this.#options)) {
      throwIfAborted(this.#options.signal);
      const outputs = this.#tree.take(entry);
      const record = this.#take(number, place++, outputs, entry);
      if (record !== noRecord && entry.type !== "directory") await visit?.(record, outputs, entry, files);
    }
    for (const [at, outputs] of this.#tree.end()) this.#put(this.#recordAt[at] as number, outputs);
    this.#next--;
    if (this.#next === 0) await this.#finish(visit);
    return true;
  }

  /** What is at a node, as far as the layers tell that were read; `wanted`: a hard link to what was not read yet. */
  see(node: Node): Seen | "wanted" {
    const seen = this.#tree.see(node);
    return seen === "entry" && this.record(node) === noRecord ? "wanted" : seen;
  }

  /** The record of what is at a node, hard links followed. */
  record(node: Node): number {
    return this.#heads[node] ?? noRecord;
  }

  facts(node: Node): EntryFacts {
    return this.records.facts(this.record(node));
  }

  /** The node that a node is another name of; nothing where it has a name of its own. */
  linked(node: Node): Node | undefined {
    const to = this.#links[node] ?? 0;
    return to !== 0 && this.record(to) === this.record(node) && this.#tree.see(to) === "entry" ? to : undefined;
  }

  /** The layer that has what is at a node; of a directory without an entry the uppermost that has something in it. */
  layer(node: Node): Layer | undefined {
    const record = this.record(node);
    const isDirectory = record !== noRecord && this.records.type(record) === "directory";
    // A root that no layer has is nobody's: the uppermost has something in it.
    const number = isDirectory ? this.records.layer(record) : this.#tree.owner(node) || this.layers.length;
    return this.layers[number - 1];
  }

  /** Whether what layers have in a node is hidden that were not read. */
  hides(node: Node): boolean {
    return this.#tree.floor(node) !== 0;
  }

  /** Whether layers that were not read yet may have something to say of what lies in a directory. */
  isOpen(node: Node): boolean {
    return this.#next > 0 && !this.hides(node);
  }

  /** Whether they may have an entry for a directory that is seen without one. */
  isWithoutEntry(node: Node): boolean {
    return this.#next > 0 && this.#tree.see(node) === "directory" && this.#tree.isOpen(node);
  }

  /** What is seen in a directory, sorted by the bytes of the names. */
  *children(node: Node): Generator<Node> {
    for (const child of this.paths.children(node)) {
      const seen = this.#tree.see(child);
      if (seen === "entry" || seen === "directory") yield child;
    }
  }

  /** Hard links to files of layers that are not read: their names, what they lead to, and what they say. */
  *linksLeft(): Generator<readonly [name: Node, target: Node, facts: LinkFacts]> {
    for (const { names, target } of this.#tree.linksLeft())
      for (const [name, facts] of names) yield [name, target, facts];
  }

  /** The bytes of a record. */
  open(record: number, path: string): AsyncIterable<Uint8Array> {
    const files = this.#files[this.records.layer(record) - 1] as LayerFiles;
    const { size, offset } = this.records.facts(record);
    return files.open({ path, offset, size }, this.#options);
  }

  /** Takes in an entry; its record, if it has something of its own. */
  #take(layer: number, place: number, outputs: readonly Output[], entry: LayerEntry): number {
    const isLink = entry.type === "hardlink";
    // What is hidden may be what a hard link leads to.
    const record =
      isLink || (outputs.length === 0 && entry.type === "directory") ? noRecord : this.records.add(layer, entry);
    this.#recordAt = grown(this.#recordAt, place + 1);
    this.#recordAt[place] = record;
    this.#put(record, outputs);
    return record;
  }

  #put(record: number, outputs: readonly Output[]): void {
    if (outputs.length === 0) return;
    this.#heads = grown(this.#heads, this.paths.count);
    this.#links = grown(this.#links, this.paths.count);
    for (const { node, linkTo } of outputs) {
      const file = linkTo === undefined ? 0 : (this.linked(linkTo) ?? linkTo);
      if (file === 0) this.#heads[node] = record;
      else if (file !== node) {
        this.#heads[node] = this.record(file);
        this.#links[file] = 0;
      }
      this.#links[node] = file === node ? 0 : file;
    }
  }

  async #finish(visit?: Visit): Promise<void> {
    const { links, again } = this.#tree.finish(this.#options.isPartial);
    this.#put(noRecord, links);
    for (const [layer, places] of again) {
      const files = this.#files[layer - 1] as LayerFiles;
      let place = 0;
      for await (const entry of files.entries(this.#options)) {
        const names = places.get(place++);
        if (names === undefined) continue;
        const outputs = this.#tree.outputs(names);
        const record = this.records.add(layer, entry);
        this.#put(record, outputs);
        await visit?.(record, outputs, entry, files);
      }
    }
  }
}
