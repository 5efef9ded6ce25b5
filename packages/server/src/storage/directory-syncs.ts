import { DrayError } from "dray/errors";
import { errnoOf, type FileSystem, type OpenFile } from "dray/internal/files";

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
