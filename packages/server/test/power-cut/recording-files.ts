import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FileSystem, nodeFiles, type OpenFile } from "dray/internal/files";
import { type Cut, type DiskEvent, type Leavings, powerCut } from "./power-cut.ts";

/** A file system that remembers all that happened below a folder, for tests of what a power cut may leave of it. */
export interface Recording {
  /** Works on the real folder; syncs take a moment, so that others come in between, and are only remembered. */
  readonly files: FileSystem;
  /** Events so far. What was acknowledged when it was `n` must survive each cut after `n` or more. */
  readonly length: number;
  /** Events that happened before the recording: no cut comes before them. */
  readonly start: number;
  /** What a cut may leave, in memory: thousands of these take a second. */
  leavings(cut: Cut): Leavings;
  /** The same in a folder of its own, to start from. Claims of locks are left out: after a real cut their holders are dead. */
  materialise(folder: string, cut: Cut): Promise<void>;
  /** The event in words, for messages. */
  describe(event: number): string;
}

/** @param root a folder that is there, empty or not; what is in it counts as lasting */
export const recordFiles = async (root: string): Promise<Recording> => {
  const disk = new Disk(root);
  await disk.scan();
  return disk;
};

class Disk implements Recording {
  readonly files: FileSystem;
  readonly #root: string;
  readonly #events: DiskEvent[] = [];
  /** The names as they are now. */
  readonly #names = new Map<number, Map<string, number>>([[0, new Map()]]);
  #nodes = 0;
  #start = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(root: string) {
    this.#root = root;
    this.files = {
      ...nodeFiles,
      open: (path, flags, mode) => this.#inTurn(() => this.#open(path, flags, mode)),
      mkdir: (path) =>
        this.#inTurn(async () => {
          await nodeFiles.mkdir(path);
          this.#makeAll(path);
        }),
      makeDirectory: (path) =>
        this.#inTurn(async () => {
          const made = await nodeFiles.makeDirectory(path);
          this.#makeAll(path);
          return made;
        }),
      rename: (from, to) =>
        this.#inTurn(async () => {
          await nodeFiles.rename(from, to);
          const [source, target] = [this.#place(from), this.#place(to)];
          const node = this.#find(from);
          if (source === undefined || target === undefined || node === undefined) throw new Error(`unknown: ${from}`);
          if (from === to) return;
          this.#names.get(source.directory)?.delete(source.name);
          this.#name({ ...target, node, from: source });
        }),
      unlink: (path) => this.#inTurn(() => this.#gone(path, () => nodeFiles.unlink(path))),
      rmdir: (path) => this.#inTurn(() => this.#gone(path, () => nodeFiles.rmdir(path))),
    };
  }

  get length(): number {
    return this.#events.length;
  }

  get start(): number {
    return this.#start;
  }

  leavings(cut: Cut): Leavings {
    return powerCut(this.#events, { ...cut, after: Math.max(cut.after, this.#start) });
  }

  async materialise(folder: string, cut: Cut): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const [path, content] of this.leavings(cut)) {
      if (content === "directory") await mkdir(join(folder, path), { recursive: true });
      else if (!path.includes(".lock-")) await writeFile(join(folder, path), content);
    }
  }

  describe(event: number): string {
    return JSON.stringify(this.#events[event], (_, value: unknown) =>
      value instanceof Uint8Array ? `${value.byteLength} bytes` : value,
    );
  }

  async scan(): Promise<void> {
    const look = async (path: string): Promise<void> => {
      for (const name of await readdir(path)) {
        const below = join(path, name);
        const facts = await lstat(below);
        if (facts.isDirectory()) {
          this.#makeAll(below);
          await look(below);
        } else if (facts.isFile()) {
          const file = this.#make(below);
          this.#events.push({ type: "bytes", file, position: 0, bytes: await readFile(below) });
        }
      }
    };
    await look(this.#root);
    const before = this.#events.length;
    for (let node = 0; node <= this.#nodes; node++) this.#events.push({ type: "sync", node, before });
    this.#start = this.#events.length;
  }

  /** One change after the other, so that their order here is the order in which they happened. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result;
    return result;
  }

  async #open(path: string, asked: string | number, mode: number | undefined): Promise<OpenFile> {
    const opened = await nodeFiles.open(path, asked, mode);
    // Numbers are for what is there.
    const flags = typeof asked === "number" ? "r+" : asked;
    const there = this.#find(path);
    if (there === undefined && flags.startsWith("r")) {
      if (this.#place(path) !== undefined) throw new Error(`unknown: ${path}`);
      return opened;
    }
    const node = there ?? this.#make(path);
    if (there !== undefined && flags.startsWith("w")) this.#events.push({ type: "length", file: node, length: 0 });
    return this.#recorded(opened, node);
  }

  #recorded(file: OpenFile, node: number): OpenFile {
    return {
      read: (...args) => file.read(...args),
      write: (buffer, offset, length, position) =>
        this.#inTurn(async () => {
          if (position === null) throw new Error("only writes at a position are recorded");
          const { bytesWritten } = await file.write(buffer, offset, length, position);
          const bytes = buffer.slice(offset, offset + bytesWritten);
          this.#events.push({ type: "bytes", file: node, position, bytes });
          return { bytesWritten };
        }),
      stat: () => file.stat(),
      truncate: (length) =>
        this.#inTurn(async () => {
          await file.truncate(length);
          this.#events.push({ type: "length", file: node, length });
        }),
      sync: async () => {
        const before = this.#events.length;
        await new Promise((resolve) => setTimeout(resolve, 2));
        this.#events.push({ type: "sync", node, before });
      },
      close: () => file.close(),
    };
  }

  async #gone(path: string, remove: () => Promise<void>): Promise<void> {
    await remove();
    const place = this.#place(path);
    if (place !== undefined) this.#name({ ...place, node: undefined });
  }

  #makeAll(path: string): void {
    if (path === this.#root || this.#find(path) !== undefined) return;
    this.#makeAll(dirname(path));
    // Known as a directory before it has a name: no cut shows it as anything else.
    const node = this.#nodes + 1;
    this.#names.set(node, new Map());
    this.#events.push({ type: "directory", node });
    this.#make(path);
  }

  #make(path: string): number {
    const place = this.#place(path);
    if (place === undefined) throw new Error(`outside of the recorded folder: ${path}`);
    const node = ++this.#nodes;
    this.#name({ ...place, node });
    return node;
  }

  #name(name: Omit<DiskEvent & { type: "name" }, "type">): void {
    const names = this.#names.get(name.directory);
    if (name.node === undefined) names?.delete(name.name);
    else names?.set(name.name, name.node);
    this.#events.push({ type: "name", ...name });
  }

  /** Where a path's own name stands; `undefined` outside, and for the folder itself. */
  #place(path: string): { directory: number; name: string } | undefined {
    if (!path.startsWith(`${this.#root}/`)) return undefined;
    const directory = this.#find(dirname(path));
    return directory === undefined ? undefined : { directory, name: path.slice(path.lastIndexOf("/") + 1) };
  }

  #find(path: string): number | undefined {
    if (path === this.#root) return 0;
    if (!path.startsWith(`${this.#root}/`)) return undefined;
    let node: number | undefined = 0;
    for (const name of path.slice(this.#root.length + 1).split("/")) {
      if (node === undefined) return undefined;
      node = this.#names.get(node)?.get(name);
    }
    return node;
  }
}
