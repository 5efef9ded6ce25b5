import { endOfArchive, padding, writeHeader } from "../../tar/index.ts";
import type { Image } from "../views.ts";
import { type TreeEntry, type TreeOptions, treeEntries } from "./tree-entries.ts";

/** Headers and small files are gathered into blocks of this many bytes. */
const blockBytes = 128 * 1024;
/** What is larger is not copied. */
const largeBytes = 32 * 1024;

/**
 * One tar of the tree that an image's layers make together, as a container of it would see it: whiteouts applied, the last of several entries
 * counted, with owners, modes, times, extended attributes, capabilities, devices and sparse files. Hard links come after what they lead to, also
 * where that lies in another layer; where it was removed or changed above, the first of the links has the content. Nothing is held in memory but
 * some fifty bytes for each path.
 * @throws DrayError as `treeEntries`, at the latest before the end of the archive: what ended with an error is no whole archive
 * @example for await (const chunk of exportTar(image)) process.stdout.write(chunk);
 */
export async function* exportTar(image: Image, options: TreeOptions = {}): AsyncGenerator<Uint8Array> {
  const blocks = new Blocks();
  for await (const entry of treeEntries(image, options)) {
    blocks.add(headerOf(entry));
    for await (const chunk of entry.data)
      if (chunk.byteLength < largeBytes) {
        blocks.add(chunk);
        yield* blocks.full();
      } else {
        yield* blocks.rest();
        yield chunk;
      }
    blocks.add(padding(entry.stored));
    if (blocks.areFull) yield* blocks.full();
  }
  blocks.add(endOfArchive());
  yield* blocks.rest();
}

const headerOf = ({ path, type, ...entry }: TreeEntry): Uint8Array =>
  writeHeader({ ...entry, name: path, type: type === "other" ? "file" : type });

/** Small pieces gathered into blocks, each with memory of its own. */
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
    this.#full.push(this.#block.subarray(0, this.#filled));
    this.#block = new Uint8Array(blockBytes);
    this.#filled = 0;
  }
}
