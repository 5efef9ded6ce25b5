import type { TarEntry } from "../../tar/index.ts";
import type { Node } from "./path-table.ts";

/** Something to write at a path of the merged tree. */
export interface Output {
  readonly node: Node;
  readonly path: string;
  /** It is a hard link to this node, which was written before; else the entry itself. */
  readonly linkTo?: Node;
}

/** What the layer that is being read has at a place, as far as it was read. */
export type Presence = "nothing" | "directory" | "written" | "hidden";

/** What is known of the layer that is being read. */
export interface LayerSoFar {
  presence(node: Node): Presence;
  /** Which of the layer's entries was at a node last. */
  place(node: Node): number;
  path(node: Node): string;
}

/** What the header of a hard link says of the file: some who unpack it believe that. */
export type LinkFacts = Pick<TarEntry, "mode" | "uid" | "gid" | "uname" | "gname" | "mtime" | "pax">;

/** Where a file is: under a name that was written, or among the entries of a layer that were passed over. */
export type Found = { readonly written: Node } | { readonly layer: number; readonly place: number };

/** A file that hard links lead to and that was not written yet. */
export interface Wanted {
  readonly target: Node;
  /** Names of the tree that it is to have. */
  readonly names: Map<Node, LinkFacts>;
  /** The layer whose link it is, counted from the bottom, and its name for messages. */
  readonly layer: number;
  readonly called: string;
  /** Where it was found. Another one that is wanted: it is that file. */
  found?: Found | Wanted | undefined;
  /** What the layer of the link has at the target behind the link, which counts where no layer below has a file there. */
  later?: Found | Wanted | undefined;
}

const isWanted = (what: Found | Wanted): what is Wanted => "names" in what;

/**
 * Hard links whose target cannot be linked to where they are met, with layers read from the top down: it lies in a layer below, or was read and
 * is hidden in the tree, because a layer above has changed or removed it. The first of the names becomes the file then, the others links to it.
 * A link is the file that was at its target when it was made: of its own layer, before the link, else of those below, else of its own
 * layer behind it.
 */
export class HardLinks {
  readonly #read: LayerSoFar;
  /** By a target in layers below. */
  #below = new Map<Node, Wanted>();
  /** Those of the layer that is read, until its end: others than what links of layers above want of it. */
  #fresh = new Map<Node, Wanted>();
  /** By the place in this layer of a target that was passed over. */
  #again = new Map<number, Wanted>();
  /** What links of this layer lead to, where that was not written. */
  readonly #leads = new Map<Node, Wanted>();
  /** Names of this layer's files that are written under another one. */
  readonly #standIns = new Map<Node, Node>();
  /** Targets that were found in this layer. Until its end, because the last of several is the one that counts. */
  readonly #found = new Set<Node>();
  #layer = 0;
  #called = "";

  constructor(read: LayerSoFar) {
    this.#read = read;
  }

  begin(layer: number, called: string): void {
    this.#layer = layer;
    this.#called = called;
    this.#leads.clear();
    this.#standIns.clear();
    this.#again = new Map();
  }

  /** Whether the layers above look for a target. */
  get areWanted(): boolean {
    return this.#below.size > 0;
  }

  /** An entry comes where the same layer had one: what was to be linked there no longer is. */
  replace(node: Node): void {
    this.#standIns.delete(node);
    const names = this.#leads.get(node)?.names;
    if (names === undefined) return;
    this.#leads.delete(node);
    names.delete(node);
    for (const name of this.#below.get(node)?.names.keys() ?? []) names.delete(name);
  }

  /** An entry with content of its own. */
  entry(node: Node, path: string, isVisible: boolean, place: number): Output[] {
    const wanted = this.#below.get(node);
    if (wanted === undefined) return isVisible ? [{ node, path }] : [];
    this.#found.add(node);
    const outputs = isVisible
      ? [{ node, path }, ...this.#links(node, wanted.names.keys())]
      : this.outputs(wanted.names.keys());
    const [first] = outputs;
    wanted.found = first === undefined ? { layer: this.#layer, place } : { written: first.node };
    if (first !== undefined && !isVisible) this.#standIns.set(node, first.node);
    return outputs;
  }

  /** A link, from a node to another. `undefined`: to a directory. */
  link(node: Node, isVisible: boolean, to: Node, facts: LinkFacts): Output[] | undefined {
    const file = this.#at(to) ?? (this.#read.presence(to) === "directory" ? undefined : this.#wantedBelow(to));
    if (file === undefined) return undefined;
    // A link to itself is nothing where the file is there, or will be.
    if (to === node && (!isWanted(file) || file.target !== node || file.found !== undefined)) return [];
    this.replace(node);
    const above = this.#below.get(node);
    if (above !== undefined) {
      this.#found.add(node);
      above.found = file;
    }
    const names = new Map(above?.names);
    if (isVisible) names.set(node, facts);
    if (isWanted(file)) {
      this.#leads.set(node, file);
      for (const [name, said] of names) file.names.set(name, said);
      return [];
    }
    const { written } = file as { written: Node };
    if (!isVisible) this.#standIns.set(node, written);
    return this.#links(written, names.keys());
  }

  /** What this layer has at a node now; nothing where it has nothing, or a directory. */
  #at(node: Node): { readonly written: Node } | Wanted | undefined {
    const led = this.#leads.get(node);
    if (led !== undefined) return led;
    const standIn = this.#standIns.get(node);
    if (standIn !== undefined) return { written: standIn };
    const presence = this.#read.presence(node);
    if (presence === "written") return { written: node };
    if (presence !== "hidden") return undefined;
    const place = this.#read.place(node);
    let wanted = this.#again.get(place);
    if (wanted === undefined) this.#again.set(place, (wanted = this.#wanted(node, { layer: this.#layer, place })));
    return wanted;
  }

  #wantedBelow(target: Node): Wanted {
    let wanted = this.#fresh.get(target);
    if (wanted === undefined) this.#fresh.set(target, (wanted = this.#wanted(target)));
    return wanted;
  }

  #wanted(target: Node, found?: Found): Wanted {
    return { target, names: new Map(), layer: this.#layer, called: this.#called, found };
  }

  #links(to: Node, names: Iterable<Node>): Output[] {
    return [...names].filter((node) => node !== to).map((node) => ({ node, path: this.#read.path(node), linkTo: to }));
  }

  /** A file that is read becomes the first of its names, and the others links to it. */
  outputs(names: Iterable<Node>): Output[] {
    const all = [...names];
    const [first] = all;
    return first === undefined ? [] : [{ node: first, path: this.#read.path(first) }, ...this.#links(first, all)];
  }

  /** Ends a layer. Gives what has to be read of it once more, by which of its entries it is. */
  end(): ReadonlyMap<number, Wanted> {
    for (const node of this.#found) this.#below.delete(node);
    this.#found.clear();
    for (const [target, wanted] of this.#fresh) {
      const later = this.#at(target);
      if (later !== wanted) wanted.later = later;
      const above = this.#below.get(target);
      if (above === undefined) this.#below.set(target, wanted);
      else {
        for (const [name, facts] of wanted.names) above.names.set(name, facts);
        above.later = wanted.later;
        wanted.found = above;
      }
    }
    this.#fresh = new Map();
    return this.#again;
  }

  /** What is still wanted: of layers below those that were read. */
  left(): readonly Wanted[] {
    return [...this.#below.values()].filter(({ names }) => names.size > 0);
  }

  /** Takes what is still wanted and what `isGone` says of that it will not be found. */
  gone(isGone: (wanted: Wanted) => boolean): readonly Wanted[] {
    const gone = this.left().filter(isGone);
    for (const { target } of gone) this.#below.delete(target);
    return gone;
  }
}

/** Where a file is in the end that no layer below has; nothing where it is nowhere. */
export const laterOf = (wanted: Wanted): Found | undefined => {
  const way = new Set<Wanted>();
  let at: Found | Wanted | undefined = wanted;
  while (at !== undefined && isWanted(at) && !way.has(at)) {
    way.add(at);
    at = at.found ?? at.later;
  }
  const found = at === undefined || isWanted(at) ? undefined : at;
  // Each of a long row is walked once.
  for (const each of way) each.found = found;
  return found;
};
