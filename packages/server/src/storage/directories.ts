import { dirname } from "node:path";
import { DrayError } from "dray/errors";
import { errnoOf, type FileSystem, type OpenFile } from "dray/internal/files";

/** Directories remembered as lasting; beyond that they are synced once more. */
const remembered = 10_000;
/** Times that a directory may be removed just when something is put into it, and the other way round. */
const tries = 4;

/**
 * The directories below some roots: makes them, and brings names in them to the disk. A directory's own name lasts once the directory
 * above it was synced; what that is known of is remembered, and nothing at a start: a process that was killed may have made it.
 */
export class Directories {
  readonly #fs: FileSystem;
  readonly #roots: readonly string[];
  readonly #syncs: Syncs;
  readonly #onMade: (directory: string) => Promise<void>;
  readonly #onMissing: () => Promise<void>;
  /** Each is struck out before it is made again, so whatever comes after the making syncs it anew. */
  readonly #lasting = new Set<string>();
  /** Those that are being synced. A mark that is gone when that ends was struck out meanwhile. */
  readonly #marks = new Map<string, symbol>();

  /**
   * @param around `onMade` is awaited after each that was made; `onMissing` before one is made whose parent is missing, too, and rejects
   * where it would lie in another place
   */
  constructor(
    fs: FileSystem,
    roots: readonly string[],
    syncs: Syncs,
    {
      onMade = async () => {},
      onMissing = async () => {},
    }: {
      readonly onMade?: (directory: string) => Promise<void>;
      readonly onMissing?: () => Promise<void>;
    } = {},
  ) {
    this.#fs = fs;
    this.#roots = roots;
    this.#syncs = syncs;
    this.#onMade = onMade;
    this.#onMissing = onMissing;
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
    if (directory === this.#roots[0]) return this.#mkdir(directory, true);
    this.#strike(directory);
    try {
      return await this.#mkdir(directory);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
    await this.#onMissing();
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
    for (let at = directory; !this.#roots.includes(at); at = dirname(at)) {
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

  async #mkdir(directory: string, recursive = false): Promise<boolean> {
    try {
      if (!recursive) await this.#fs.mkdir(directory);
      else if ((await this.#fs.makeDirectory(directory)) === undefined) return false;
      await this.#onMade(directory);
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

/**
 * Waits for the disk. Callers that arrive while a directory is being synced share the next round, which begins after it: the one
 * that runs may have begun before their change. An fsync that fails is final for all: the kernel may have dropped the pages and
 * would call the next one a success.
 */
export class Syncs {
  readonly #fs: FileSystem;
  readonly #rounds = new Map<string, Round>();
  /** Those that could not be opened to be synced. What is in them can be seen, and whoever sees it may build on it. */
  readonly #owed = new Set<string>();
  #failure: { readonly path: string; readonly cause: unknown } | undefined;

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /** @throws DrayError `DISK` after an fsync that failed */
  check(): void {
    if (this.#failure === undefined) return;
    const { path, cause } = this.#failure;
    throw new DrayError(
      "DISK",
      `nothing is written any more since ${path} could not be brought to the disk (${errnoOf(cause) ?? "unknown"}): ` +
        "what was written before may be lost; check the disk and the system's log, then start again",
      { cause },
    );
  }

  /** Whether an fsync failed. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  async file(path: string, file: OpenFile): Promise<void> {
    this.check();
    await this.#final(path, () => file.sync());
  }

  /** Directories that an earlier caller left without a sync: the next one syncs them with its own. */
  get owed(): readonly string[] {
    return [...this.#owed];
  }

  directory(path: string): Promise<void> {
    const round = this.#rounds.get(path);
    if (round === undefined) return this.#begin(path);
    round.next ??= round.now.then(
      () => this.#begin(path),
      () => this.#begin(path),
    );
    return round.next;
  }

  #begin(path: string): Promise<void> {
    const round: Round = { now: this.#directory(path), next: undefined };
    this.#rounds.set(path, round);
    const ended = (): void => {
      if (round.next === undefined) this.#rounds.delete(path);
    };
    round.now.then(ended, ended);
    return round.now;
  }

  async #directory(path: string): Promise<void> {
    this.check();
    // Windows opens no directories, and needs none of this.
    if (process.platform === "win32") return;
    let directory: OpenFile;
    try {
      directory = await this.#fs.open(path, "r");
    } catch (error) {
      // Removed meanwhile, with what was put into it.
      if (errnoOf(error) === "ENOENT") {
        this.#owed.delete(path);
        return;
      }
      this.#owed.add(path);
      throw error;
    }
    try {
      await this.#final(path, async () => {
        try {
          await directory.sync();
        } catch (error) {
          // Some network file systems know no such thing.
          if (errnoOf(error) !== "EINVAL" && errnoOf(error) !== "ENOTSUP") throw error;
        }
      });
      this.#owed.delete(path);
    } finally {
      await directory.close();
    }
  }

  async #final(path: string, sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (cause) {
      this.#failure ??= { path, cause };
      this.check();
    }
  }
}

interface Round {
  readonly now: Promise<void>;
  /** Begins when this one ends. */
  next: Promise<void> | undefined;
}

/** Removes a file, a link, or a directory with all that is in it. Links are not followed. Tells whether there was anything. */
export const removeTree = async (fs: FileSystem, path: string): Promise<boolean> => {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    // Only some systems say EISDIR.
    if (code !== "EISDIR" && (code !== "EPERM" || !(await isDirectory(fs, path)))) throw error;
  }
  return removeDirectory(fs, path);
};

const removeDirectory = async (fs: FileSystem, path: string): Promise<boolean> => {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const name of await fs.readdir(path)) await removeTree(fs, `${path}/${name}`);
      await fs.rmdir(path);
      return true;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return true;
      if (errnoOf(error) !== "ENOTEMPTY" || attempt === tries) throw error;
    }
  }
};

/** Removes a directory that has only directories in it, however deep. Tells whether it is gone: anything else in it stays, with what leads to it. */
export const removeEmptyTree = async (fs: FileSystem, path: string): Promise<boolean> => {
  try {
    for (const name of await fs.readdir(path)) {
      const inside = `${path}/${name}`;
      if (!(await isDirectory(fs, inside)) || !(await removeEmptyTree(fs, inside))) return false;
    }
    await fs.rmdir(path);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT") return true;
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") return false;
    throw error;
  }
};

const isDirectory = async (fs: FileSystem, path: string): Promise<boolean> => {
  try {
    return (await fs.lstat(path)).isDirectory();
  } catch {
    return false;
  }
};
