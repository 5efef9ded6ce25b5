import { DrayError } from "../../errors.ts";
import type { TarEntry } from "../../tar/index.ts";
import { grown } from "./columns.ts";
import { HardLinks, type LinkFacts, laterOf, type Output, type Presence, type Wanted } from "./hard-links.ts";
import { type Fault, LayerPaths } from "./layer-paths.ts";
import { meaningOf, partsOf, whiteoutFor } from "./names.ts";
import { type Node, PathTable, rootNode } from "./path-table.ts";

/** What an entry has to say of itself. */
export type EntryHead = Pick<TarEntry, "name" | "type" | "linkName"> & LinkFacts;

/**
 * What there is at a path, as far as the layers tell that were read: an entry; a directory without one; nothing; whatever layers have that were
 * not read yet.
 */
export type Seen = "entry" | "directory" | "nothing" | "open";

/** Hard links to what no layer below has, and their own layer behind them. */
export interface LateLinks {
  /** To what was written. */
  readonly links: readonly (Output & { readonly linkTo: Node; readonly facts: LinkFacts })[];
  /** Names of what has to be read once more, by its layer and its place among the entries. */
  readonly again: ReadonlyMap<number, ReadonlyMap<number, readonly Node[]>>;
}

/** How a path of the tree came to be what it is: by something below it, by an entry for a directory, by anything else. */
const [byContent, byDirectory, byOther] = [1, 2, 3];

/** The name of what says that nothing of the layers below is left in a directory. */
const opaque = ".wh..wh..opq";

/** What the layer that is read has at a path: an empty directory, one with something in it, a file that is in the tree, one that is not. */
const [seenEmpty, seenFilled, seenWritten, seenHidden] = [1, 2, 3, 4];

/** Layers are counted in two bytes. Runtimes take 127, or 500. */
const mostLayers = 2 ** 16 - 1;

/** Facts about nodes, a column for each, so that a path takes a few bytes. Layers are counted from 1, the bottom; 0 is none. */
class Facts {
  /** The uppermost layer that has the path. */
  owner = new Uint16Array(0);
  /** How that layer has it. */
  how = new Uint8Array(0);
  /** The uppermost layer that has taken the path away, or has no directory there: what layers below have at it is hidden. */
  removed = new Uint16Array(0);
  /** The same of what lies below the path. */
  closed = new Uint16Array(0);
  /** The layer that had the path last, what it had there and which of its entries that was. */
  seen = new Uint16Array(0);
  seenAs = new Uint8Array(0);
  place = new Uint32Array(0);

  /** Room for so many nodes. */
  fit(count: number): void {
    if (this.owner.length >= count) return;
    this.owner = grown(this.owner, count);
    const { length } = this.owner;
    for (const column of ["removed", "closed", "seen"] as const) this[column] = grown(this[column], length);
    for (const column of ["how", "seenAs"] as const) this[column] = grown(this[column], length);
    this.place = grown(this.place, length);
  }
}

/**
 * The tree that layers make together, found out while they are read from the top down, each once: of each entry it says at once whether it is
 * seen in the tree, and where. No content is held, and of a path a few bytes.
 * @see image-spec, layer.md, "Applying Changesets"
 */
export class MergedTree {
  readonly paths: PathTable = new PathTable();
  readonly #facts = new Facts();
  readonly #places = new LayerPaths(this.paths);
  readonly #links = new HardLinks({
    presence: (node) => this.#presence(node),
    place: (node) => this.#facts.place[node] as number,
    path: (node) => this.paths.path(node),
  });
  #layer = 0;
  #name = "";
  #entries = 0;
  /** What this layer takes away from those below, where hard links of those above lead there. */
  readonly #taken = new Set<Node>();
  /** Links to what is in no layer below, and is in their own behind them. */
  readonly #late: Wanted[] = [];

  /** A layer comes, counted from 1, the bottom. `name` is for messages. */
  begin(layer: number, name: string): void {
    if (layer > mostLayers)
      throw new DrayError("LIMIT_EXCEEDED", `${name} is the ${layer}th; ${mostLayers} can be merged`);
    this.#layer = layer;
    this.#name = name;
    this.#entries = 0;
    this.#taken.clear();
    this.#places.begin();
    this.#links.begin(layer, name);
  }

  /**
   * Takes the next entry and says what is to be written for it: nothing, itself, or links as well.
   * @throws DrayError `ARCHIVE_INVALID` for what no container could have, `LIMIT_EXCEEDED`, `UNSUPPORTED`
   */
  take(head: EntryHead): readonly Output[] {
    const { name, type, linkName } = head;
    const entry = this.#entries++;
    const fault: Fault = (what, code = "ARCHIVE_INVALID") =>
      new DrayError(code, `${this.#name}: entry "${name}" ${what}`);
    const meaning = name.includes(".wh.") ? meaningOf(partsOf(name) ?? []) : undefined;
    if (meaning?.kind === "senseless") throw fault("is a whiteout of nothing");
    if (meaning?.kind === "opaque" || meaning?.kind === "whiteout") {
      const folder = this.#places.folder(name, fault);
      const taken = meaning.kind === "opaque" ? folder : this.paths.child(folder, meaning.of);
      this.#facts.fit(this.paths.count);
      return meaning.kind === "opaque" ? this.#close(taken) : this.#remove(taken);
    }
    const { node, path } = this.#places.find(name, fault);
    this.#facts.fit(this.paths.count);
    const isDirectory = type === "directory";
    if (node === rootNode) return this.#root(isDirectory, fault);
    const isVisible =
      this.#under(this.paths.parent(node), meaning?.kind === "meta", fault) && this.#shows(node, isDirectory);
    // What was written cannot be taken back, and one layer cannot do this by changing files: it would have a whiteout, or not have them.
    if (!isDirectory && this.#isFilled(node))
      throw fault("takes the place of a directory that the same layer has put something into", "UNSUPPORTED");
    if (type !== "hardlink") this.#links.replace(node);
    this.#places.set(node, type === "symlink" ? linkName : undefined, fault);
    const outputs =
      type === "hardlink"
        ? this.#link(node, isVisible, head, fault)
        : isDirectory
          ? isVisible
            ? [{ node, path }]
            : []
          : this.#links.entry(node, path, isVisible, entry);
    this.#note(node, entry, isDirectory, isVisible);
    return outputs;
  }

  /**
   * Ends a layer.
   * @returns what has to be read of it once more, by the place among its entries
   * @throws DrayError `ARCHIVE_INVALID` for a hard link of a layer above that leads to what this one has taken away
   */
  end(): ReadonlyMap<number, readonly Output[]> {
    const again = [...this.#links.end()].map(
      ([place, { names }]) => [place, this.#links.outputs(names.keys())] as const,
    );
    // Of its own layer a link sees what was there before anything was taken away.
    this.#giveUp(
      ({ target, layer }) =>
        layer > this.#layer &&
        (this.#presence(target) === "directory" || (this.#taken.size > 0 && this.#isTaken(target))),
    );
    return new Map(again.filter(([, outputs]) => outputs.length > 0));
  }

  /**
   * After the last layer.
   * @param isPartial there are others below, which are not read
   * @returns links that come now
   * @throws DrayError `ARCHIVE_INVALID` for a hard link to what is nowhere
   */
  finish(isPartial = false): LateLinks {
    if (!isPartial) this.#giveUp(() => true);
    const links: (Output & { linkTo: Node; facts: LinkFacts })[] = [];
    const again = new Map<number, Map<number, Node[]>>();
    for (const wanted of this.#late) {
      const found = laterOf(wanted);
      if (found === undefined && !isPartial) throw this.#noFile(wanted);
      if (found === undefined) continue;
      if ("written" in found)
        for (const [node, facts] of wanted.names)
          links.push({ node, path: this.paths.path(node), linkTo: found.written, facts });
      else {
        const places = again.get(found.layer) ?? new Map<number, Node[]>();
        again.set(found.layer, places);
        places.set(found.place, [...(places.get(found.place) ?? []), ...wanted.names.keys()]);
      }
    }
    return { links, again };
  }

  /** A file that is read once more, under names that it has now. */
  outputs(names: readonly Node[]): readonly Output[] {
    return this.#links.outputs(names);
  }

  /** What is at a node. */
  see(node: Node): Seen {
    const { owner, how, removed } = this.#facts;
    const floor = node === rootNode ? 0 : this.floor(this.paths.parent(node));
    const has = owner[node] ?? 0;
    if (node === rootNode) return has === 0 ? "directory" : "entry";
    const hidden = Math.max(removed[node] ?? 0, floor);
    if (has !== 0 && has >= hidden) return how[node] === byContent ? "directory" : "entry";
    return hidden === 0 ? "open" : "nothing";
  }

  /** The uppermost layer that hides what layers below have in a node; 0: none that was read. */
  floor(node: Node): number {
    const { closed } = this.#facts;
    let floor = 0;
    for (let at = node; ; at = this.paths.parent(at)) {
      floor = Math.max(floor, closed[at] ?? 0);
      if (at === rootNode) return floor;
    }
  }

  /** Whether layers that were not read yet may have an entry for a directory that is seen without one. */
  isOpen(node: Node): boolean {
    return node === rootNode || ((this.#facts.removed[node] ?? 0) === 0 && this.floor(this.paths.parent(node)) === 0);
  }

  /** The uppermost layer that has a path, counted from 1, the bottom. */
  owner(node: Node): number {
    return this.#facts.owner[node] ?? 0;
  }

  /** Hard links to files of layers that were not read. */
  linksLeft(): readonly Wanted[] {
    return this.#links.left();
  }

  /**
   * After the last layer, where these lie over others: the names of the whiteouts by which they take away what is below.
   */
  *whiteouts(): Generator<string> {
    const { owner, how, removed, closed } = this.#facts;
    for (let node = rootNode; node < Math.min(this.paths.count, closed.length); node++) {
      if (closed[node] === 0 || this.#isClosedAbove(node)) continue;
      const path = this.paths.path(node);
      const isGone = removed[node] !== 0 && (owner[node] as number) < (removed[node] as number);
      if (isGone) yield whiteoutFor(path);
      // What is no directory takes the place of whatever lies below.
      else if (removed[node] === 0 || how[node] !== byOther) yield path === "" ? opaque : `${path}/${opaque}`;
    }
  }

  /** The same of hard links to files that lie below. @throws DrayError `UNSUPPORTED` for one to a file that these layers take away */
  linksBelow(): readonly (Output & { readonly linkTo: Node; readonly facts: LinkFacts })[] {
    return [...this.#late, ...this.#links.left()].flatMap(({ target, names, called }) => {
      const links = [...names].map(([node, facts]) => ({ node, path: this.paths.path(node), linkTo: target, facts }));
      const { owner, removed } = this.#facts;
      // A directory in its place hides it as well, and would be what the link leads to.
      if (owner[target] === 0 && removed[target] === 0 && !this.#isClosedAbove(target)) return links;
      throw new DrayError(
        "UNSUPPORTED",
        `${called}: entry "${links[0]?.path}" is a hard link to "${this.paths.path(target)}" of a layer below, which is changed or removed above: the two can only become one together with that layer`,
      );
    });
  }

  #isClosedAbove(node: Node): boolean {
    for (let at = node; at !== rootNode; ) {
      at = this.paths.parent(at);
      if (this.#facts.closed[at] !== 0) return true;
    }
    return false;
  }

  #root(isDirectory: boolean, fault: Fault): Output[] {
    if (!isDirectory) throw fault("is in the place of the root, and no directory");
    if (this.#facts.owner[rootNode] !== 0) return [];
    this.#facts.owner[rootNode] = this.#layer;
    return [{ node: rootNode, path: "." }];
  }

  /** Notes that a directory and those above it are some, and says whether what this layer has in it can be seen: nothing that AUFS kept for itself. */
  #under(folder: Node, isMeta: boolean, fault: Fault): boolean {
    const { owner, how, closed, seen, seenAs } = this.#facts;
    let isVisible = !isMeta;
    for (let node = folder; ; node = this.paths.parent(node)) {
      if ((closed[node] as number) > this.#layer) isVisible = false;
      if (node === rootNode) return isVisible;
      if (seen[node] === this.#layer && (seenAs[node] as number) > seenFilled)
        throw fault(`lies below "${this.paths.path(node)}", which is no directory`);
      seen[node] = this.#layer;
      seenAs[node] = seenFilled;
      if (owner[node] === 0 && !isMeta) {
        owner[node] = this.#layer;
        how[node] = byContent;
      }
    }
  }

  /** Whether no layer above has something at this path, or has taken it away; a directory that only lay above something gets its attributes. */
  #shows(node: Node, isDirectory: boolean): boolean {
    const { owner, how, removed } = this.#facts;
    if ((removed[node] as number) > this.#layer) return false;
    return (owner[node] as number) <= this.#layer || (isDirectory && how[node] === byContent);
  }

  #note(node: Node, entry: number, isDirectory: boolean, isVisible: boolean): void {
    const facts = this.#facts;
    if (isVisible) {
      if (facts.owner[node] === 0) facts.owner[node] = this.#layer;
      facts.how[node] = isDirectory ? byDirectory : byOther;
    }
    if (!isDirectory) this.#remove(node);
    if (!isDirectory) facts.seenAs[node] = isVisible ? seenWritten : seenHidden;
    else if (!this.#isFilled(node)) facts.seenAs[node] = seenEmpty;
    facts.seen[node] = this.#layer;
    facts.place[node] = entry;
  }

  #remove(node: Node): readonly [] {
    const { removed } = this.#facts;
    if (removed[node] === 0) removed[node] = this.#layer;
    return this.#close(node);
  }

  #close(node: Node): readonly [] {
    const { closed } = this.#facts;
    if (closed[node] === 0) closed[node] = this.#layer;
    if (this.#links.areWanted) this.#taken.add(node);
    return [];
  }

  #link(node: Node, isVisible: boolean, head: EntryHead, fault: Fault): readonly Output[] {
    const { linkName, mode, uid, gid, uname, gname, mtime, pax } = head;
    const to = this.#places.find(linkName, (what, code) =>
      fault(`is a hard link to "${linkName}", which ${what}`, code),
    );
    this.#facts.fit(this.paths.count);
    const facts = { mode, uid, gid, uname, gname, mtime, pax };
    const outputs = to.node === rootNode ? undefined : this.#links.link(node, isVisible, to.node, facts);
    if (outputs === undefined) throw fault(`is a hard link to "${linkName}", which is a directory`);
    return outputs;
  }

  /** Whether this layer has something below a path. */
  #isFilled(node: Node): boolean {
    const { seen, seenAs } = this.#facts;
    return seen[node] === this.#layer && seenAs[node] === seenFilled;
  }

  #presence(node: Node): Presence {
    const { seen, seenAs } = this.#facts;
    if (seen[node] !== this.#layer) return "nothing";
    return (seenAs[node] as number) <= seenFilled ? "directory" : seenAs[node] === seenWritten ? "written" : "hidden";
  }

  /** Whether this layer has taken away a path, or something above it. */
  #isTaken(node: Node): boolean {
    for (let at = node; ; at = this.paths.parent(at)) {
      if (this.#taken.has(at)) return true;
      if (at === rootNode) return false;
    }
  }

  #giveUp(isGone: (wanted: Wanted) => boolean): void {
    for (const wanted of this.#links.gone(isGone))
      if (wanted.later === undefined) throw this.#noFile(wanted);
      else this.#late.push(wanted);
  }

  #noFile({ target, names, called }: Wanted): DrayError {
    const [name = rootNode] = names.keys();
    return new DrayError(
      "ARCHIVE_INVALID",
      `${called}: entry "${this.paths.path(name)}" is a hard link to "${this.paths.path(target)}", and there is no such file; the image cannot be unpacked`,
    );
  }
}
