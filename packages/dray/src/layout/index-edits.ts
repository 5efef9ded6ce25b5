import { join } from "node:path";
import { type FileSystem, ifThere, onDisk, writeFileAtomic } from "../files/index.ts";
import type { Index } from "../oci/index.ts";
import { emptyIndex } from "./entries.ts";
import { formatIndex, marker } from "./index-file.ts";
import type { LayoutPaths } from "./paths.ts";
import type { LayoutReader } from "./reader.ts";

type Edit = (index: Index) => Index;

/**
 * Changes of `index.json`, one write at a time: all that come while one is on its way share the next. Whoever waits for an edit
 * has it on the disk. The file is read anew each time, since other tools write it without asking for a lock.
 */
export class IndexEdits {
  readonly #fs: FileSystem;
  readonly #paths: LayoutPaths;
  readonly #reader: LayoutReader;
  #edits: Edit[] = [];
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(fs: FileSystem, paths: LayoutPaths, reader: LayoutReader) {
    this.#fs = fs;
    this.#paths = paths;
    this.#reader = reader;
  }

  /** Changes the index; an edit that returns what it was given writes nothing. */
  apply(edit: Edit): Promise<void> {
    this.#edits.push(edit);
    if (this.#next === undefined) {
      this.#next = this.#running.catch(() => {}).then(() => this.#write());
      this.#running = this.#next;
    }
    return this.#next;
  }

  async #write(): Promise<void> {
    this.#next = undefined;
    const edits = this.#edits;
    this.#edits = [];
    const before = (await this.#reader.loadIndex()) ?? emptyIndex;
    const after = edits.reduce((index, edit) => edit(index), before);
    if (after !== before) await this.#save(after);
  }

  /** Replaces `index.json`, and makes the file beside it that says what the directory is. */
  async #save(index: Index): Promise<void> {
    const { dir, unfinished } = this.#paths;
    const write = (name: string, text: string): Promise<void> =>
      writeFileAtomic(this.#fs, join(dir, name), Buffer.from(text), { temporary: join(unfinished, "index") });
    const path = join(dir, "oci-layout");
    if ((await onDisk("read", path, () => ifThere(() => this.#fs.stat(path)))) === undefined)
      await write("oci-layout", marker);
    const text = formatIndex(index);
    await write("index.json", text);
    await this.#reader.wrote(index, Buffer.byteLength(text));
  }
}
