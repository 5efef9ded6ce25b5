import { DrayError } from "../../errors.ts";
import type { Node } from "./path-table.ts";

/** Hard links of one layer that lead to one another at most: each next one walks them all. Archivers link all names to the first. */
const mostInRow = 100;

/** Something to write at a path of the merged tree. */
export interface Output {
  readonly path: string;
  /** A hard link to this path, which was written before; else the entry itself. */
  readonly linkTo?: string;
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

/** Names that are to be the file at a place that was not written yet. */
export interface Wanted {
  readonly names: string[];
  /** The layer whose link it is, counted from the bottom, and its name for messages. */
  readonly layer: number;
  readonly called: string;
}

/**
 * Hard links whose target cannot be linked to where they are met, with layers read from the top down: it lies in a layer below, or was read and
 * is hidden in the tree, because a layer above has changed or removed it. The first of the names becomes the file then, the others links to it.
 */
export class HardLinks {
  readonly #read: LayerSoFar;
  /** By a target in layers below. */
  readonly #below = new Map<Node, Wanted>();
  /** By the place in this layer of a target that was passed over. */
  #again = new Map<number, Wanted>();
  /** Links of this layer that were not written, and where they lead. */
  readonly #leads = new Map<Node, Node>();
  /** Those that lead to themselves: to what layers below have there. */
  readonly #selves = new Set<Node>();
  /** Names of this layer's files that are written under another one. */
  readonly #standIns = new Map<Node, string>();
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
    this.#selves.clear();
    this.#standIns.clear();
    this.#again = new Map();
  }

  /** Whether the layers above look for a target. */
  get areWanted(): boolean {
    return this.#below.size > 0;
  }

  /** Who wants a target. */
  wanted(node: Node): Wanted | undefined {
    return this.#below.get(node);
  }

  /** An entry comes where the same layer had one: what was to be linked there no longer is. */
  replace(node: Node, path: string): void {
    this.#standIns.delete(node);
    const wasLink = this.#leads.delete(node) || this.#selves.delete(node);
    if (!wasLink) return;
    for (const wanted of [...this.#below.values(), ...this.#again.values()]) {
      const at = wanted.names.indexOf(path);
      if (at >= 0) wanted.names.splice(at, 1);
    }
  }

  /** An entry with content of its own. */
  entry(node: Node, path: string, isVisible: boolean): Output[] {
    const names = this.#below.get(node)?.names ?? [];
    if (names.length === 0) return isVisible ? [{ path }] : [];
    this.#found.add(node);
    if (!isVisible) this.#standIns.set(node, names[0] as string);
    return outputsOf({ names: isVisible ? [path, ...names] : names });
  }

  /** A link, from a node to another. `undefined`: to a directory. */
  link(node: Node, path: string, isVisible: boolean, to: Node): Output[] | undefined {
    // A link to itself is nothing where the file is there, or will be.
    if (to === node && (this.#leads.has(node) || this.#standIns.has(node))) return [];
    const target = this.#end(to);
    const presence = this.#read.presence(target);
    if (presence === "directory") return undefined;
    if (target === node && presence === "written" && !this.#leads.has(node)) return [];
    this.replace(node, path);
    const names = [...(this.#below.get(node)?.names ?? []), ...(isVisible ? [path] : [])];
    if (this.#below.has(node) && target !== node) this.#found.add(node);
    const written = this.#standIns.get(target) ?? (presence === "written" ? this.#read.path(target) : undefined);
    if (written !== undefined) {
      if (!isVisible) this.#leads.set(node, target);
      return linksTo(written, names);
    }
    if (target === node) this.#selves.add(node);
    else this.#leads.set(node, target);
    const more = target === node ? names.slice(this.#below.get(node)?.names.length ?? 0) : names;
    if (more.length > 0)
      if (presence === "hidden") this.#add(this.#again, this.#read.place(target), more);
      else this.#add(this.#below, target, more);
    return [];
  }

  /** Where a link of this layer leads in the end. */
  #end(to: Node): Node {
    let node = to;
    let links = 0;
    for (let next = this.#leads.get(node); next !== undefined; next = this.#leads.get(node)) {
      if (++links > mostInRow)
        throw new DrayError(
          "LIMIT_EXCEEDED",
          `${this.#called}: more than ${mostInRow} hard links lead to one another in a row`,
        );
      node = next;
    }
    return node;
  }

  #add<Key>(wanted: Map<Key, Wanted>, key: Key, names: readonly string[]): void {
    const there = wanted.get(key);
    if (there === undefined) wanted.set(key, { names: [...names], layer: this.#layer, called: this.#called });
    else there.names.push(...names);
  }

  /** Ends a layer. Gives what has to be read of it once more, by which of its entries it is. */
  end(): ReadonlyMap<number, Wanted> {
    for (const node of this.#found) this.#below.delete(node);
    this.#found.clear();
    return this.#again;
  }

  /** What is still wanted: of layers below those that were read. */
  left(): readonly (readonly [target: Node, wanted: Wanted])[] {
    return [...this.#below].filter(([, { names }]) => names.length > 0);
  }

  /** A target that is still wanted, and of which `isGone` says that it will not be found. */
  missing(isGone: (target: Node, wanted: Wanted) => boolean): Node | undefined {
    for (const [target, wanted] of this.#below) if (wanted.names.length > 0 && isGone(target, wanted)) return target;
    return undefined;
  }
}

const linksTo = (linkTo: string, names: readonly string[]): Output[] =>
  names.filter((path) => path !== linkTo).map((path) => ({ path, linkTo }));

/** A file that is read once more becomes the first of its names, and the others links to it. */
export const outputsOf = ({ names }: Pick<Wanted, "names">): Output[] => {
  const [first, ...others] = names;
  return first === undefined ? [] : [{ path: first }, ...linksTo(first, others)];
};
