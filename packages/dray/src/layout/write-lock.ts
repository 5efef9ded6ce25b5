import { join } from "node:path";
import { Lazy } from "../async/index.ts";
import { diskError, errnoOf, type FileSystem, type Lock, lock, onDisk } from "../files/index.ts";
import type { LayoutPaths } from "./paths.ts";
import type { LayoutReader } from "./reader.ts";

/**
 * One lock for all that a store writes, from the first write to the end. A layout that is damaged, or that another process
 * writes, is refused before anything is transferred.
 */
export class WriteLock {
  readonly #fs: FileSystem;
  readonly #paths: LayoutPaths;
  readonly #reader: LayoutReader;
  readonly #taken = new Lazy<Lock>();

  constructor(fs: FileSystem, paths: LayoutPaths, reader: LayoutReader) {
    this.#fs = fs;
    this.#paths = paths;
    this.#reader = reader;
  }

  /** Takes it unless it is taken. @throws DrayError `LOCKED`, `LAYOUT_INVALID`, `DISK` */
  async take(): Promise<void> {
    await this.#taken.get(() => this.#take());
  }

  /** Releases it, and takes `.dray/` away if nothing is left in it. */
  async release(): Promise<void> {
    const held = await this.#taken.take();
    if (held === undefined) return;
    await held.release();
    await this.#tidy();
  }

  async #take(): Promise<Lock> {
    const held = await lock(this.#fs, this.#paths.lock, `layout ${this.#paths.dir}`);
    try {
      await this.#reader.loadIndex();
      await this.#sweep();
      return held;
    } catch (error) {
      await held.release();
      await this.#tidy();
      throw error;
    }
  }

  /** A new index that was cut short is of no use to anyone. Partial blobs are. */
  async #sweep(): Promise<void> {
    const { unfinished } = this.#paths;
    await onDisk("tidy up", unfinished, async () => {
      for (const name of await this.#fs.readdir(unfinished))
        if (name.endsWith(".tmp")) await this.#fs.unlink(join(unfinished, name));
    });
  }

  async #tidy(): Promise<void> {
    try {
      await this.#fs.rmdir(this.#paths.unfinished);
    } catch (error) {
      const code = errnoOf(error);
      // Partial blobs, or the lock of the next one, are in it.
      if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT")
        throw diskError(error, "remove", this.#paths.unfinished);
    }
  }
}
