import { DrayError } from "../../errors.ts";
import type { TarEntry } from "../../tar/index.ts";
import { HardLinks, type Output, type Presence, type Wanted } from "./hard-links.ts";
import { type Fault, LayerPaths } from "./layer-paths.ts";
import { meaningOf, partsOf } from "./names.ts";
import { grown, type Node, PathTable, rootNode } from "./path-table.ts";

/** What an entry has to say of itself. */
export type EntryHead = Pick<TarEntry, "name" | "type" | "linkName">;

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
  readonly #table = new PathTable();
  readonly #facts = new Facts();
  readonly #paths = new LayerPaths(this.#table);
  readonly #links = new HardLinks({
    presence: (node) => this.#presence(node),
    place: (node) => this.#facts.place[node] as number,
    path: (node) => this.#table.path(node),
  });
  #layer = 0;
  #name = "";
  #entries = 0;
  /** What this layer takes away from those below, where hard links of those above lead there. */
  readonly #taken = new Set<Node>();

  /** A layer comes, counted from 1, the bottom. `name` is for messages. */
  begin(layer: number, name: string): void {
    if (layer > mostLayers)
      throw new DrayError("LIMIT_EXCEEDED", `${name} is the ${layer}th; ${mostLayers} can be merged`);
    this.#layer = layer;
    this.#name = name;
    this.#entries = 0;
    this.#taken.clear();
    this.#paths.begin();
    this.#links.begin(layer, name);
  }

  /**
   * Takes the next entry and says what is to be written for it: nothing, itself, or links as well.
   * @throws DrayError `ARCHIVE_INVALID` for what no container could have, `LIMIT_EXCEEDED`, `UNSUPPORTED`
   */
  take({ name, type, linkName }: EntryHead): readonly Output[] {
    const entry = this.#entries++;
    const fault: Fault = (what, code = "ARCHIVE_INVALID") =>
      new DrayError(code, `${this.#name}: entry "${name}" ${what}`);
    const meaning = name.includes(".wh.") ? meaningOf(partsOf(name) ?? []) : undefined;
    if (meaning?.kind === "senseless") throw fault("is a whiteout of nothing");
    const { node, path } = this.#paths.find(name, fault);
    this.#facts.fit(this.#table.count);
    if (meaning?.kind === "opaque") return this.#close(this.#table.parent(node));
    if (meaning?.kind === "whiteout") {
      const taken = this.#table.child(this.#table.parent(node), meaning.of);
      this.#facts.fit(this.#table.count);
      return this.#remove(taken);
    }
    const isDirectory = type === "directory";
    if (node === rootNode) return this.#root(isDirectory, fault);
    const isVisible =
      this.#under(this.#table.parent(node), fault) && meaning?.kind !== "meta" && this.#shows(node, isDirectory);
    // What was written cannot be taken back, and one layer cannot do this by changing files: it would have a whiteout, or not have them.
    if (!isDirectory && this.#isFilled(node))
      throw fault("takes the place of a directory that the same layer has put something into", "UNSUPPORTED");
    if (type !== "hardlink") this.#links.replace(node, path);
    this.#paths.set(node, type === "symlink" ? linkName : undefined, fault);
    const outputs =
      type === "hardlink"
        ? this.#link(node, path, isVisible, linkName, fault)
        : isDirectory
          ? isVisible
            ? [{ path }]
            : []
          : this.#links.entry(node, path, isVisible);
    this.#note(node, entry, isDirectory, isVisible);
    return outputs;
  }

  /**
   * Ends a layer.
   * @returns what has to be read of it once more, by the place among its entries
   * @throws DrayError `ARCHIVE_INVALID` for a hard link of a layer above that leads to what this one has taken away
   */
  end(): ReadonlyMap<number, Wanted> {
    const again = this.#links.end();
    // Of its own layer a link sees what was there before anything was taken away.
    this.#refuseMissing(
      (target, { layer }) =>
        this.#presence(target) === "directory" ||
        (layer > this.#layer && this.#taken.size > 0 && this.#isTaken(target)),
    );
    return again;
  }

  /** After the last layer. @throws DrayError `ARCHIVE_INVALID` for a hard link to what is nowhere */
  finish(): void {
    this.#refuseMissing(() => true);
  }

  /**
   * After the last layer, where these lie over others: the names of the whiteouts by which they take away what is below.
   */
  *whiteouts(): Generator<string> {
    const { owner, how, removed, closed } = this.#facts;
    for (let node = rootNode; node < Math.min(this.#table.count, closed.length); node++) {
      if (closed[node] === 0 || this.#isClosedAbove(node)) continue;
      const path = this.#table.path(node);
      const isGone = removed[node] !== 0 && (owner[node] as number) < (removed[node] as number);
      if (isGone) yield path.replace(/[^/]*$/, (name) => `.wh.${name}`);
      // What is no directory takes the place of whatever lies below.
      else if (removed[node] === 0 || how[node] !== byOther) yield path === "" ? opaque : `${path}/${opaque}`;
    }
  }

  /** The same of hard links to files that lie below. @throws DrayError `UNSUPPORTED` for one to a file that these layers take away */
  linksBelow(): readonly Required<Output>[] {
    return this.#links.left().flatMap(([target, { names, called }]) => {
      const linkTo = this.#table.path(target);
      if ((this.#facts.removed[target] as number) === 0 && !this.#isClosedAbove(target))
        return names.map((path) => ({ path, linkTo }));
      throw new DrayError(
        "UNSUPPORTED",
        `${called}: entry "${names[0]}" is a hard link to "${linkTo}" of a layer below, which is changed or removed above: the two can only become one together with that layer`,
      );
    });
  }

  #isClosedAbove(node: Node): boolean {
    for (let at = node; at !== rootNode; ) {
      at = this.#table.parent(at);
      if (this.#facts.closed[at] !== 0) return true;
    }
    return false;
  }

  #root(isDirectory: boolean, fault: Fault): Output[] {
    if (!isDirectory) throw fault("is in the place of the root, and no directory");
    if (this.#facts.owner[rootNode] !== 0) return [];
    this.#facts.owner[rootNode] = this.#layer;
    return [{ path: "." }];
  }

  /** Notes that a directory and those above it are some, and says whether what this layer has in it can be seen. */
  #under(folder: Node, fault: Fault): boolean {
    const { owner, how, closed, seen, seenAs } = this.#facts;
    let isVisible = true;
    for (let node = folder; ; node = this.#table.parent(node)) {
      if ((closed[node] as number) > this.#layer) isVisible = false;
      if (node === rootNode) return isVisible;
      if (seen[node] === this.#layer && (seenAs[node] as number) > seenFilled)
        throw fault(`lies below "${this.#table.path(node)}", which is no directory`);
      seen[node] = this.#layer;
      seenAs[node] = seenFilled;
      if (owner[node] === 0) {
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

  #link(node: Node, path: string, isVisible: boolean, linkName: string, fault: Fault): readonly Output[] {
    const to = this.#paths.find(linkName, (what, code) =>
      fault(`is a hard link to "${linkName}", which ${what}`, code),
    );
    this.#facts.fit(this.#table.count);
    const outputs = to.node === rootNode ? undefined : this.#links.link(node, path, isVisible, to.node);
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
    for (let at = node; ; at = this.#table.parent(at)) {
      if (this.#taken.has(at)) return true;
      if (at === rootNode) return false;
    }
  }

  #refuseMissing(isGone: (target: Node, wanted: Wanted) => boolean): void {
    const missing = this.#links.missing(isGone);
    if (missing !== undefined) throw this.#noFile(missing);
  }

  #noFile(target: Node): DrayError {
    const wanted = this.#links.wanted(target);
    const [name = ""] = wanted?.names ?? [];
    const leads = `is a hard link to "${this.#table.path(target)}"`;
    return new DrayError(
      "ARCHIVE_INVALID",
      `${wanted?.called ?? this.#name}: entry "${name}" ${leads}, and there is no such file; the image cannot be unpacked`,
    );
  }
}
