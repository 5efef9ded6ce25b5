import type { Cancel } from "../../content/index.ts";
import { DrayError, throwIfAborted } from "../../errors.ts";
import type { Layer } from "../views.ts";
import { Chains } from "./chains.ts";
import { filesOf } from "./files-of.ts";
import { type LayerEntry, type LayerFiles, scannedFiles } from "./layer-files.ts";
import { NameTree } from "./name-tree.ts";
import { noRecord, Records, says } from "./records.ts";
import { behindLink, longestPath, rooted } from "./rooted.ts";
import { whiteoutOf } from "./whiteout.ts";

/** Bytes of what is remembered at most. */
const mostRemembered = 128 * 1024 * 1024;

/** As Linux follows. */
const mostLinks = 40;

/** What there is at a place, in the layers that were asked. */
export interface Seen {
  /** `unknown`: layers that were not read yet decide. `implied`: a directory that has no entry of its own, as far as is known. */
  readonly kind: "entry" | "implied" | "none" | "unknown";
  readonly record: number;
}

/** Something found, or what stands in the way to it. */
export interface Place {
  readonly node: number;
  readonly kind: "entry" | "implied";
  readonly record: number;
  /** Layers from this one on have nothing to say about what is in it. */
  readonly until: number;
  /** What of the path lies below, where a link or a file is in the midst of it. */
  readonly rest: readonly string[];
}

/** Sees each entry of a layer while that is read, with its path and record; an earlier one of the same layer and path has the same. */
export type Visit = (record: number, path: string, entry: LayerEntry, files: LayerFiles) => Promise<void>;

/** How layers are read. */
export interface TreeOptions extends Cancel {
  /** `true`: the bytes of every file are wanted, which come sooner in one piece than file by file. Default: what is asked for alone. */
  readonly whole?: boolean | undefined;
}

/**
 * The layers of an image from the top down, each read when something depends on it, as one tree of what they say. A layer counts from 0, the
 * uppermost.
 */
export class LayeredTree {
  readonly names: NameTree = new NameTree();
  readonly records: Records = new Records();
  readonly layers: readonly Layer[];
  readonly #files: LayerFiles[] = [];
  readonly #options: TreeOptions;
  readonly #chains: Chains = new Chains(this.records);
  #read = 0;

  /** @param layers the uppermost first */
  constructor(layers: readonly Layer[], options: TreeOptions = {}) {
    this.layers = layers;
    this.#options = options;
  }

  /** How many layers have been read. */
  get read(): number {
    return this.#read;
  }

  /** Reads one layer more. `false`: there was none left. */
  async readNext(visit?: Visit): Promise<boolean> {
    const layer = this.layers[this.#read];
    if (layer === undefined) return false;
    const files = this.#options.whole === true ? scannedFiles(layer) : await filesOf(layer, this.#options);
    for await (const entry of files.entries(this.#options)) {
      throwIfAborted(this.#options.signal);
      const record = this.#take(entry);
      if (record !== noRecord) await visit?.(record, rooted(entry.name), entry, files);
      if (this.names.bytes + this.records.bytes > mostRemembered)
        throw new DrayError(
          "LIMIT_EXCEEDED",
          `the names in the layers take more than ${mostRemembered} bytes; read them one by one`,
        );
    }
    this.#files[this.#read] = files;
    this.#read++;
    return true;
  }

  /** The bytes of an entry. */
  open(place: Pick<Place, "node" | "record">): AsyncIterable<Uint8Array> {
    const { record } = place;
    const files = this.#files[this.records.layer(record)] as LayerFiles;
    const { size, offset } = this.records.facts(record);
    return files.open({ path: this.names.path(place.node), offset, size }, this.#options);
  }

  /** What there is under a name, in layers from `from` on and before `until`. */
  look(node: number, from: number, until: number): Seen {
    const { records } = this;
    let implied: number = noRecord;
    for (const record of this.#chains.of(node)) {
      const layer = records.layer(record);
      if (layer < from) continue;
      if (layer >= until) break;
      if (records.has(record, says.entry)) {
        const counts = implied === noRecord || records.type(record) === "directory";
        return counts ? { kind: "entry", record } : { kind: "implied", record: implied };
      }
      if (implied === noRecord && records.has(record, says.implied)) implied = record;
      if (records.has(record, says.removed))
        return { kind: implied === noRecord ? "none" : "implied", record: implied };
    }
    if (implied !== noRecord) return { kind: "implied", record: implied };
    return { kind: this.isCertain(until) ? "none" : "unknown", record: noRecord };
  }

  /** Whether all layers before `until` have been read. */
  isCertain(until: number): boolean {
    return this.#read >= Math.min(until, this.layers.length);
  }

  /** From which layer on nothing counts of what is in a directory. */
  below(node: number, from: number, until: number): number {
    for (const record of this.#chains.of(node)) {
      const layer = this.records.layer(record);
      if (layer < from) continue;
      if (layer >= until) break;
      const ends = this.records.has(record, says.entry) && this.records.type(record) !== "directory";
      if (ends || this.records.has(record, says.removed | says.opaque)) return layer + 1;
    }
    return until;
  }

  /**
   * What is at a path, or the link or file on the way to it, in layers from `from` on; `undefined` where nothing is. Reads the layers that it
   * takes to know.
   */
  async find(path: string, from = 0, visit?: Visit): Promise<Place | undefined> {
    for (;;) {
      const found = this.lookUp(path, from);
      if (found !== "unknown") return found;
      await this.readNext(visit);
    }
  }

  /** The same as far as the layers that were read tell. */
  lookUp(path: string, from: number): Place | undefined | "unknown" {
    const names = namesOf(path);
    let until = this.below(0, from, this.layers.length);
    let place: Place = { node: 0, ...this.#root(from), until, rest: [] };
    for (const [i, name] of names.entries()) {
      const node = this.names.child(place.node, name);
      const seen = node === undefined ? undefined : this.look(node, from, until);
      if (node === undefined || seen === undefined || seen.kind === "none" || seen.kind === "unknown")
        return this.isCertain(until) || seen?.kind === "none" ? undefined : "unknown";
      until = this.below(node, from, until);
      place = { node, kind: seen.kind, record: seen.record, until, rest: names.slice(i + 1) };
      if (seen.kind === "entry" && this.records.type(seen.record) !== "directory") return place;
    }
    return place;
  }

  #root(from: number): Pick<Place, "kind" | "record"> {
    const { kind, record } = this.look(0, from, this.layers.length);
    return { kind: kind === "entry" ? kind : "implied", record };
  }

  /** Takes in an entry of the layer that is being read; its record, where it is one of a file. */
  #take(entry: LayerEntry): number {
    const path = rooted(entry.name);
    const whiteout = whiteoutOf(path);
    if (whiteout?.kind === "reserved") return noRecord;
    if (whiteout !== undefined) {
      this.records.mark(this.#chains.at(this.#nodeOf(whiteout.path), this.#read), says[whiteout.kind]);
      return noRecord;
    }
    const node = this.#nodeOf(path);
    const record = this.#chains.at(node, this.#read);
    this.records.write(record, entry);
    this.#imply(node, this.#read);
    return record;
  }

  /** Says of the directories above a name that a layer has something in them. */
  #imply(node: number, layer: number): void {
    for (let above = node; above !== 0; ) {
      above = this.names.parent(above);
      const record = this.#chains.at(above, layer);
      if (this.records.has(record, says.implied)) break;
      this.records.mark(record, says.implied);
    }
  }

  /**
   * The place of a path in the layer that is being read. A directory on the way that is a symbolic link of this very layer is followed, as whoever
   * unpacks the layer does; one of a layer below is not, for layers lie over each other as directories of their own.
   */
  #nodeOf(path: string): number {
    refuseLong(path, path);
    let names = namesOf(path);
    let node = 0;
    for (let [i, links] = [0, 0]; i < names.length; i++) {
      node = this.names.childOf(node, names[i] as string);
      const rest = names.slice(i + 1);
      const target = rest.length === 0 ? undefined : this.#ownLink(node);
      if (target === undefined) continue;
      if (++links > mostLinks)
        throw new DrayError(
          "ARCHIVE_INVALID",
          `${path} in a layer lies behind symbolic links that go round in circles`,
        );
      refuseLong(path, target);
      const behind = behindLink(this.names.path(node), target, rest);
      refuseLong(path, behind);
      names = namesOf(behind);
      [node, i] = [0, -1];
    }
    return node;
  }

  /** What a link says that the layer being read has at a place. */
  #ownLink(node: number): string | undefined {
    const record = this.#chains.last(node);
    if (record === noRecord || this.records.layer(record) !== this.#read) return undefined;
    if (!this.records.has(record, says.entry) || this.records.type(record) !== "symlink") return undefined;
    return this.records.facts(record).linkName;
  }
}

const refuseLong = (path: string, way: string): void => {
  if (way.length <= longestPath) return;
  const called = path.length > longestPath ? `${path.slice(0, 100)}…` : path;
  throw new DrayError("LIMIT_EXCEEDED", `${called} in a layer has a path of more than ${longestPath} bytes`);
};

const namesOf = (path: string): string[] => path.split("/").filter((name) => name !== "");
