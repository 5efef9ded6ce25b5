import { transferable } from "../../content/index.ts";
import { endOfArchive, padded, writeHeader } from "../../tar/index.ts";
import type { Image, Layer } from "../views.ts";
import { MergedTree } from "./merged-tree.ts";
import { lentEntries, linkEntry, mergedEntries, type TreeEntry, type TreeOptions } from "./tree-entries.ts";

/** Bytes of the blocks in which the archive comes. */
const blockBytes = 256 * 1024;

/**
 * One tar of the tree that an image's layers make together, as a container of it would see it: whiteouts applied, the last of several entries
 * counted, with owners, modes, times, extended attributes, capabilities, devices and sparse files. Hard links come after what they lead to, also
 * where that lies in another layer; where it was removed or changed above, the first of the links has the content. Nothing is held in memory but
 * some fifty bytes for each path.
 * @throws DrayError as `treeEntries`, at the latest before the end of the archive: what ended with an error is no whole archive
 * @example for await (const chunk of exportTar(image)) process.stdout.write(chunk);
 */
export const exportTar = (image: Image, options: TreeOptions = {}): AsyncGenerator<Uint8Array> =>
  tarOf(lentEntries(image, options));

/**
 * The same of some of an image's layers that lie over others, bottom first: what they take away from those below stays a whiteout, and hard links to what lies
 * there stay links.
 * @throws DrayError as `treeEntries`, and `UNSUPPORTED` where a hard link leads to a file below that one of the layers takes away
 */
export const squashTar = (layers: readonly Layer[], options: TreeOptions = {}): AsyncGenerator<Uint8Array> => {
  const tree = new MergedTree();
  const entries = mergedEntries(layers, tree, { ...options, lends: true });
  return tarOf(entries, function* () {
    for (const { facts, ...link } of tree.linksBelow()) yield headerOf(linkEntry(tree, link, facts));
    for (const name of tree.whiteouts()) yield writeHeader({ name });
  });
};

/**
 * A tar of entries that come one after the other.
 * @param headers of what comes after all entries, and has no body
 */
export async function* tarOf(
  entries: AsyncIterable<TreeEntry>,
  headers: () => Iterable<Uint8Array> = () => [],
): AsyncGenerator<Uint8Array> {
  const blocks = new Blocks();
  for await (const entry of entries) {
    blocks.add(headerOf(entry));
    if (entry.stored > 0)
      for await (const chunk of entry.data) {
        blocks.add(chunk);
        if (blocks.areFull) yield* blocks.full();
      }
    blocks.pad();
    if (blocks.areFull) yield* blocks.full();
  }
  for (const header of headers()) {
    blocks.add(header);
    if (blocks.areFull) yield* blocks.full();
  }
  blocks.add(endOfArchive());
  yield* blocks.rest();
}

const headerOf = (entry: TreeEntry): Uint8Array => {
  const { path, type } = entry;
  return writeHeader(Object.assign(entry, { name: path, type: type === "other" ? ("file" as const) : type }));
};

/** Pieces gathered into blocks, each with memory of its own, which is the reader's. */
class Blocks {
  #full: Uint8Array[] = [];
  #block = new Uint8Array(blockBytes);
  #filled = 0;

  get areFull(): boolean {
    return this.#full.length > 0;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const part = bytes.subarray(at, at + blockBytes - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === blockBytes) this.#next();
    }
  }

  /** Zeros up to where the next header may begin. */
  pad(): void {
    // A block has room for whole records, and is full of zeros.
    this.#filled = padded(this.#filled);
    if (this.#filled === blockBytes) this.#next();
  }

  /** Blocks that are full, which are the caller's then. */
  full(): Uint8Array[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** Also the one that is not. */
  rest(): Uint8Array[] {
    this.#next();
    return this.full();
  }

  #next(): void {
    if (this.#filled === 0) return;
    this.#full.push(this.#filled === blockBytes ? transferable(this.#block) : this.#block.subarray(0, this.#filled));
    this.#block = new Uint8Array(blockBytes);
    this.#filled = 0;
  }
}
