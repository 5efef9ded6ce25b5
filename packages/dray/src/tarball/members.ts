import { DrayError } from "../errors.ts";
import { entryPath, type IndexedEntry, linkPath } from "../tar/index.ts";
import type { TarFile } from "./tar-file.ts";

/** Links that lead to links, at most. */
const longestChain = 40;

/** Files of a tar by their path, links followed. Two readers of one archive must find the same bytes under a name. */
export class Members {
  readonly #tar: TarFile;
  readonly #byPath: ReadonlyMap<string, readonly IndexedEntry[]>;

  /** @throws DrayError `ARCHIVE_INVALID` for a name that leads out of the archive */
  constructor(tar: TarFile) {
    this.#tar = tar;
    this.#byPath = Map.groupBy(tar.entries, ({ name }) => {
      const path = entryPath(name);
      if (path !== undefined) return path;
      throw this.#invalid(`has an entry "${name}", whose name leads out of the archive; it is not to be trusted`);
    });
  }

  isEmpty(): boolean {
    return this.#byPath.size === 0;
  }

  /** Whether there is anything under this path; a link counts, wherever it leads. */
  has(path: string): boolean {
    return this.#byPath.has(entryPath(path) ?? "");
  }

  /**
   * The file under a path; `undefined` where there is none.
   * @throws DrayError `ARCHIVE_INVALID` for links that lead nowhere, outside or in a circle, for two files of one name with
   * different bytes, and for a name that is no file's
   */
  async find(path: string, signal?: AbortSignal): Promise<IndexedEntry | undefined> {
    let at = entryPath(path);
    const seen = new Set<string>();
    while (at !== undefined) {
      const [entry, ...others] = this.#byPath.get(at) ?? [];
      if (entry === undefined) {
        if (seen.size === 0) return undefined;
        throw this.#invalid(`has a link "${path}" that leads to "${at}", which is not in it`);
      }
      for (const other of others) await this.#checkSame(entry, other, signal);
      if (entry.type === "file") return entry;
      if (entry.type !== "symlink" && entry.type !== "hardlink")
        throw this.#invalid(`has an entry "${entry.name}" that should be a file and is a ${entry.type}`);
      if (seen.has(at) || seen.size > longestChain) throw this.#invalid(`has a link "${path}" that leads in a circle`);
      seen.add(at);
      const next = linkPath(at, entry.linkName, entry.type);
      if (next === undefined)
        throw this.#invalid(`has a link "${entry.name}" to "${entry.linkName}", which leads out of the archive`);
      at = next;
    }
    throw this.#invalid(`names a file "${path}", which leads out of the archive`);
  }

  /** A name may come twice if nothing depends on which is read: first wins for some readers, last for others. */
  async #checkSame(one: IndexedEntry, other: IndexedEntry, signal: AbortSignal | undefined): Promise<void> {
    const same =
      one.type === other.type &&
      one.size === other.size &&
      one.linkName === other.linkName &&
      (await this.#equal(one, other, signal));
    if (!same) throw this.#invalid(`has two entries "${one.name}" that differ; it is damaged or not to be trusted`);
  }

  async #equal(one: IndexedEntry, other: IndexedEntry, signal: AbortSignal | undefined): Promise<boolean> {
    const others = this.#tar.read(other, { signal });
    try {
      for await (const block of this.#tar.read(one, { signal })) {
        // Both bodies have one size and come in blocks of one size.
        const next = await others.next();
        if (next.done || Buffer.compare(block, next.value) !== 0) return false;
      }
      return true;
    } finally {
      await others.return(undefined);
    }
  }

  #invalid(fault: string): DrayError {
    return new DrayError("ARCHIVE_INVALID", `${this.#tar.what} ${fault}`);
  }
}
