import { DrayError } from "dray/errors";
import { type AppendFile, type AppendTarget, appendFile } from "dray/internal/files";
import type { DigestAlgorithm } from "dray/oci";
import { checkPath, type Driver, type Facts, type MoveOptions, type StoredFile, type WriteOptions } from "./driver.ts";
import { Blocks, bytesInMemory, type GrowingContent, type MemoryContent, Sunk, wholeOf } from "./memory-content.ts";

export interface MemoryDriverOptions {
  /** Receivers keep only size and digest; reading what they received fails. Default `false`. */
  readonly sink?: boolean;
  /** Milliseconds since 1970. Two changes never bear the same time, whatever this says. */
  readonly now?: () => number;
}

/** What a test does to the files beside the driver's own methods, without waiting. */
export interface MemoryFiles {
  /** `mtime`: when it was changed, where that is not now. */
  putSync(path: string, content: Uint8Array | MemoryContent, options?: { readonly mtime?: number }): void;
  /** Says when a file or directory was changed; nothing there: nothing done. */
  dateSync(path: string, mtime: number): void;
  getSync(path: string): Uint8Array | undefined;
  /** Bytes of a file, also of one that cannot be read. */
  sizeSync(path: string): number | undefined;
  listSync(path: string): string[] | undefined;
  removeSync(path: string): void;
}

/** A driver with no files, threads or timers behind it. */
export const memoryDriver = (options: MemoryDriverOptions = {}): Driver & MemoryFiles => new MemoryDriver(options);

interface File {
  content: MemoryContent;
  mtime: number;
  readonly ino: number;
}
interface Directory {
  readonly entries: Map<string, File | Directory>;
  mtime: number;
  readonly ino: number;
}
type Entry = File | Directory;

const isDirectory = (entry: Entry | undefined): entry is Directory => entry !== undefined && "entries" in entry;
const isFile = (entry: Entry | undefined): entry is File => entry !== undefined && "content" in entry;

class MemoryDriver implements Driver, MemoryFiles {
  readonly #sink: boolean;
  readonly #now: () => number;
  readonly #root: Directory;
  #time = 0;
  #inodes = 0;

  constructor({ sink = false, now = Date.now }: MemoryDriverOptions) {
    this.#sink = sink;
    this.#now = now;
    this.#root = this.#directory();
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.getSync(path);
  }

  async open(path: string): Promise<StoredFile | undefined> {
    const entry = this.#find(path);
    if (!isFile(entry)) return undefined;
    const { content } = entry;
    const { size } = content;
    return {
      size,
      read: async (into, position) => {
        const wanted = into.subarray(0, Math.max(0, size - position));
        let read = 0;
        while (read < wanted.byteLength) {
          const more = content.read(wanted.subarray(read), position + read);
          if (more === 0) break;
          read += more;
        }
        return read;
      },
      close: async () => {},
    };
  }

  async stat(path: string): Promise<Facts | undefined> {
    const entry = this.#find(path);
    if (entry === undefined) return undefined;
    const { mtime, ino } = entry;
    return { size: isFile(entry) ? entry.content.size : 0, mtime, ino, directory: isDirectory(entry) };
  }

  async list(path: string): Promise<string[] | undefined> {
    return this.listSync(path);
  }

  async write(path: string, bytes: Uint8Array, { after }: WriteOptions = {}): Promise<void> {
    const copy = bytes.slice();
    if (after !== undefined) await after;
    this.putSync(path, copy);
  }

  async makeDirectory(path: string): Promise<void> {
    checkPath(path);
    this.#make(path, path);
  }

  async move(from: string, to: string, { alone = false }: MoveOptions = {}): Promise<void> {
    const entry = this.#find(from);
    if (!isFile(entry)) throw refused("move", from, entry === undefined ? "it does not exist" : "it is a directory");
    checkPath(to);
    if (from === to) return;
    this.#put(to, entry);
    this.removeSync(alone ? parentOf(from) : from);
  }

  async remove(path: string): Promise<void> {
    this.removeSync(path);
  }

  async removeEmpty(path: string): Promise<boolean> {
    const entry = this.#find(path);
    if (entry === undefined) return true;
    const hasFiles = (each: Entry): boolean => isFile(each) || each.entries.values().some(hasFiles);
    if (hasFiles(entry)) return false;
    this.removeSync(path);
    return true;
  }

  async touch(path: string): Promise<void> {
    const entry = this.#find(path);
    if (entry !== undefined) entry.mtime = this.#tick();
  }

  async receive(path: string, algorithm: DigestAlgorithm): Promise<AppendFile> {
    const there = this.#find(path);
    if (isDirectory(there)) throw refused("write", path, "it is a directory");
    const file: File = there ?? this.#file(this.#sink ? new Sunk() : new Blocks());
    if (there === undefined) this.#put(path, file);
    return appendFile(this.#growing(file), path, { algorithm });
  }

  async close(): Promise<void> {}

  putSync(path: string, content: Uint8Array | MemoryContent, { mtime }: { readonly mtime?: number } = {}): void {
    checkPath(path);
    const file = this.#file(content instanceof Uint8Array ? bytesInMemory(content) : content);
    this.#put(path, file);
    if (mtime !== undefined) file.mtime = mtime;
  }

  dateSync(path: string, mtime: number): void {
    const entry = this.#find(path);
    if (entry !== undefined) entry.mtime = mtime;
  }

  getSync(path: string): Uint8Array | undefined {
    const entry = this.#find(path);
    return isFile(entry) ? wholeOf(entry.content) : undefined;
  }

  sizeSync(path: string): number | undefined {
    const entry = this.#find(path);
    return isFile(entry) ? entry.content.size : undefined;
  }

  listSync(path: string): string[] | undefined {
    const entry = this.#find(path);
    return isDirectory(entry) ? [...entry.entries.keys()] : undefined;
  }

  removeSync(path: string): void {
    checkPath(path);
    const above = this.#walk(parentOf(path));
    if (isDirectory(above) && above.entries.delete(nameOf(path))) above.mtime = this.#tick();
  }

  /** Later than ever before, by the least that a number of today's milliseconds can tell apart. */
  #tick(): number {
    this.#time = Math.max(this.#now(), this.#time + 0.001);
    return this.#time;
  }

  #directory(): Directory {
    return { entries: new Map(), mtime: this.#tick(), ino: ++this.#inodes };
  }

  #file(content: MemoryContent): File {
    return { content, mtime: this.#tick(), ino: ++this.#inodes };
  }

  #find(path: string): Entry | undefined {
    checkPath(path);
    return this.#walk(path);
  }

  #walk(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root;
    if (path === "") return entry;
    for (const name of path.split("/")) {
      if (!isDirectory(entry)) return undefined;
      entry = entry.entries.get(name);
    }
    return entry;
  }

  #put(path: string, file: File): void {
    const directory = this.#make(parentOf(path), path);
    const name = nameOf(path);
    if (isDirectory(directory.entries.get(name))) throw refused("write", path, "it is a directory");
    directory.entries.set(name, file);
    directory.mtime = this.#tick();
  }

  #make(path: string, whole: string): Directory {
    if (path === "") return this.#root;
    const above = this.#make(parentOf(path), whole);
    const name = nameOf(path);
    const there = above.entries.get(name);
    if (isDirectory(there)) return there;
    if (there !== undefined) throw refused("write", whole, "a part of the path is no directory");
    const made = this.#directory();
    above.entries.set(name, made);
    above.mtime = this.#tick();
    return made;
  }

  #growing(file: File): AppendTarget {
    const content = growing(file.content);
    file.content = content;
    return {
      stat: async () => content,
      read: async (into, offset, length, position) => ({
        bytesRead: content.read(into.subarray(offset, offset + length), position ?? 0),
      }),
      write: async (bytes, offset, length, position) => {
        content.write(bytes.subarray(offset, offset + length), position ?? 0);
        file.mtime = this.#tick();
        return { bytesWritten: length };
      },
      truncate: async (length) => content.truncate(length),
      sync: async () => {},
      close: async () => {},
    };
  }
}

/** Content that was put there whole can grow as well, from a copy. */
const growing = (content: MemoryContent): GrowingContent => {
  if (content instanceof Blocks || content instanceof Sunk) return content;
  const blocks = new Blocks();
  blocks.write(wholeOf(content), 0);
  return blocks;
};

const refused = (doing: string, path: string, why: string): DrayError =>
  new DrayError("DISK", `cannot ${doing} ${path}: ${why}`);

/** The directory a path lies in; `""` at the top. */
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
