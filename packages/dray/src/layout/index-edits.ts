import { join } from "node:path";
import { type FileSystem, ifThere, onDisk, writeFileAtomic } from "../files/index.ts";
import type { Descriptor, Digest, Index } from "../oci/index.ts";
import { EditedIndex } from "./edited-index.ts";
import { emptyIndex } from "./entries.ts";
import { formatIndex, marker } from "./index-file.ts";
import type { LayoutPaths } from "./paths.ts";
import type { LayoutReader } from "./reader.ts";

type Change = (index: EditedIndex) => void;

/** A change that was asked for. One that may wait says what it gives a name to. */
interface Edit {
  readonly change: Change;
  readonly waits?: { readonly name: string; readonly digest: Digest };
}

/** Names that may wait are written when there is one for so many entries that are there. */
const entriesToName = 4;

/**
 * Changes of `index.json`, one write at a time: all that come while one is on its way share the next. Whoever waits for an edit
 * has it on the disk. Names that may wait do so until what has come since the last write, names or bytes, is worth another: then all writes
 * together are a few times as long as the last, and thousands of names take as long each as one. The file is read anew each time, since other
 * tools write it without asking for a lock.
 */
export class IndexEdits {
  /** Manifests about another one, written but not in `index.json` yet. Nothing else would lead to them; each write enters them. */
  readonly unlisted: Map<Digest, Descriptor> = new Map<Digest, Descriptor>();
  readonly #fs: FileSystem;
  readonly #paths: LayoutPaths;
  readonly #reader: LayoutReader;
  #edits: Edit[] = [];
  /** Names and digests of those that may wait, and of those that are being written. */
  #waiting = new Set<string>();
  #written = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Entries and bytes of the index that was written last; bytes of content that came since. */
  #last = { entries: 0, bytes: 0 };
  #came = 0;

  constructor(fs: FileSystem, paths: LayoutPaths, reader: LayoutReader) {
    this.#fs = fs;
    this.#paths = paths;
    this.#reader = reader;
  }

  /** Changes the index; an edit that changes nothing writes nothing. */
  apply(change: Change): Promise<void> {
    this.#edits.push({ change });
    return this.write();
  }

  /** Gives a name at the next write; that is now where enough has come. */
  async later(descriptor: Descriptor, name: string): Promise<void> {
    const { digest } = descriptor;
    const waits = { name, digest };
    this.#edits.push({ change: named(descriptor, name), waits });
    this.#note(waits);
    const { entries, bytes } = this.#last;
    if (this.#edits.length * entriesToName > entries || this.#came >= bytes) await this.write();
  }

  /** Hears of content that was written. */
  came(size: number): void {
    this.#came += size;
  }

  /** Whether this name, content of this digest, or with `""` anything at all was given and is not on the disk yet. */
  waits(nameOrDigest: string): boolean {
    return [this.#waiting, this.#written].some((names) =>
      nameOrDigest === "" ? names.size > 0 : names.has(nameOrDigest),
    );
  }

  /** Writes what there is to write. */
  write(): Promise<void> {
    if (this.#next === undefined) {
      this.#next = this.#running.catch(() => {}).then(() => this.#write());
      this.#running = this.#next;
    }
    return this.#next;
  }

  async #write(): Promise<void> {
    this.#next = undefined;
    const edits = this.#edits;
    const entered = [...this.unlisted.values()];
    this.#edits = [];
    this.#written = this.#waiting;
    this.#waiting = new Set();
    this.#came = 0;
    try {
      const before = (await this.#reader.loadIndex()) ?? emptyIndex;
      const edited = new EditedIndex(before);
      for (const descriptor of entered) edited.enter(descriptor);
      for (const { change } of edits) change(edited);
      const after = edited.index;
      if (after !== before) await this.#save(after);
    } catch (error) {
      // Nobody waits for these yet: the next write, or the last one, tries again and tells.
      const again = edits.filter(({ waits }) => waits !== undefined);
      this.#edits.unshift(...again);
      for (const { waits } of again) this.#note(waits);
      throw error;
    } finally {
      this.#written = new Set();
    }
    for (const { digest } of entered) this.unlisted.delete(digest);
  }

  #note(waits: Edit["waits"]): void {
    if (waits !== undefined) this.#waiting.add(waits.name).add(waits.digest);
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
    const bytes = Buffer.byteLength(text);
    this.#last = { entries: index.manifests.length, bytes };
    await this.#reader.wrote(index, bytes);
  }
}

/** Gives content a name in an index; an entry alone where that is `""`. */
export const named =
  (descriptor: Descriptor, name: string): Change =>
  (index) =>
    void (name === "" ? index.enter(descriptor) : index.name(descriptor, name));
