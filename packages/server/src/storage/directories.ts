import { dirname } from "node:path";
import { errnoOf, type FileSystem } from "dray/internal/files";
import type { Syncs } from "./directory-syncs.ts";

/** Directories remembered as lasting; beyond that they are synced once more. */
const remembered = 10_000;
/** Times that a directory may be removed just when something is put into it. */
const tries = 4;

/**
 * The directories below `root`: makes them, and brings names in them to the disk. A directory's own name lasts once the directory
 * above it was synced; what that is known of is remembered, and nothing at a start: a process that was killed may have made it.
 */
export class Directories {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #syncs: Syncs;
  /** Each is struck out before it is made again, so whatever comes after the making syncs it anew. */
  readonly #lasting = new Set<string>();
  /** Those that are being synced. A mark that is gone when that ends was struck out meanwhile. */
  readonly #marks = new Map<string, symbol>();

  constructor(fs: FileSystem, root: string, syncs: Syncs) {
    this.#fs = fs;
    this.#root = root;
    this.#syncs = syncs;
  }

  /** Does something in a directory that is made where it is missing, also when it is removed at the same time. */
  async inside<T>(directory: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > 1 || !this.#lasting.has(directory)) await this.make(directory);
        return await work();
      } catch (error) {
        if (errnoOf(error) !== "ENOENT" || attempt === tries) throw error;
      }
    }
  }

  /** Makes a directory and those above it. Tells whether it was not there. */
  async make(directory: string): Promise<boolean> {
    if (directory === this.#root) return false;
    this.#strike(directory);
    try {
      return await this.#mkdir(directory);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
    await this.make(dirname(directory));
    return this.#mkdir(directory);
  }

  /** Gives a directory another place, where there is none yet or an empty one, and makes those above it. What is in it lasts already. */
  async move(from: string, to: string): Promise<void> {
    this.#strike(to);
    await this.inside(dirname(to), () => this.#fs.rename(from, to));
  }

  /** Waits until the names in a directory last, its own among them. Call it after the change. */
  async last(directory: string): Promise<void> {
    const marked: [directory: string, mark: symbol][] = [];
    const syncs = [directory, ...this.#syncs.owed].map((path) => this.#syncs.directory(path));
    for (let at = directory; at !== this.#root; at = dirname(at)) {
      if (this.#lasting.has(at)) continue;
      const mark = this.#marks.get(at) ?? Symbol(at);
      this.#marks.set(at, mark);
      marked.push([at, mark]);
      syncs.push(this.#syncs.directory(dirname(at)));
    }
    await Promise.all(syncs);
    if (this.#lasting.size > remembered) this.#lasting.clear();
    for (const [at, mark] of marked) if (this.#marks.get(at) === mark) this.#remember(at);
  }

  async #mkdir(directory: string): Promise<boolean> {
    try {
      await this.#fs.mkdir(directory, { recursive: false });
      return true;
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      return false;
    }
  }

  #strike(directory: string): void {
    this.#lasting.delete(directory);
    this.#marks.delete(directory);
  }

  #remember(directory: string): void {
    this.#marks.delete(directory);
    this.#lasting.add(directory);
  }
}
