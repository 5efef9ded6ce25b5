import { errcodeOf } from "@dray/service/sqlite";
import { DrayError, isDrayError } from "dray/errors";
import { KeyedRwLock } from "dray/internal/async";
import { type Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { type FileVersion, isRacy, sameVersion } from "../storage/index.ts";
import type { Metadata } from "./metadata.ts";
import { scan } from "./scan.ts";

export interface RepositoryReconcilerOptions {
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly now: () => number;
  readonly elapsed: () => number;
  readonly recheckAfter: number;
  readonly onNotice: (notice: Notice) => void;
  /** A repository was invalidated; somebody should look at it. */
  readonly onInvalid: () => void;
}

/** A foreign writer and ours at the same moment, again and again: then somebody has to wait. */
const mostPasses = 6;

/** Brings repositories forward one by one, and tells writes of ours from those of others. */
export class RepositoryReconciler {
  readonly #options: RepositoryReconcilerOptions;
  readonly #states = new Map<string, ReconcilerState>();
  /** Writes share a repository, a batch of a scan has it alone. */
  readonly #locks = new KeyedRwLock();
  readonly #invalid = new Set<string>();
  readonly #changes = new Map<string, number>();
  /**
   * How many changes of a repository are known, by whomever. Whatever is remembered of it belongs to their number: what was read under
   * another one is never used again, however late it comes.
   */
  readonly changes: ReadonlyMap<string, number> = this.#changes;
  #generation: number;
  #closed = false;

  constructor(options: RepositoryReconcilerOptions) {
    this.#options = options;
    this.#generation = options.metadata.generation;
  }

  /** Repositories that were invalidated and not looked at since. */
  get invalid(): ReadonlySet<string> {
    return this.#invalid;
  }

  /** Whether a repository was looked at since the start and nothing failed since. */
  isReconciled(repository: string): boolean {
    if (this.#closed) return false;
    this.follow();
    return this.#states.get(repository)?.reconciled === true;
  }

  /** See `Reconciler.reconcile`. */
  async reconcile(repository: string): Promise<boolean> {
    this.follow();
    let state = this.#state(repository);
    if (this.#isRecent(state)) return state.exists;
    if (state.running !== undefined) {
      // It may have begun before a change that the caller knows of; the next one has not.
      await state.running.catch(() => {});
      this.follow();
      state = this.#state(repository);
      if (this.#isRecent(state)) return state.exists;
    }
    await this.#forward(state);
    return state.exists;
  }

  /**
   * Runs a write of this process to the repository's tree and its metadata, so that it is not taken for somebody else's. If the metadata
   * part throws, the repository is invalidated, and the write has succeeded all the same. Of one tag or digest the caller has one write
   * at a time under way; the tree part neither reconciles the repository nor begins another write of it.
   */
  write<T>(repository: string, tree: () => Promise<T>, metadata: (result: T) => void): Promise<T> {
    return this.#locks.hold({ shared: [repository] }, async () => {
      this.follow();
      const state = this.#state(repository);
      state.writes++;
      if (++state.writing === 1) state.before = this.#before(state);
      try {
        await state.before;
        const result = await tree();
        this.#tell(state, () => metadata(result));
        return result;
      } catch (error) {
        // Half of it may be done.
        this.#invalidate(state);
        throw error;
      } finally {
        // Also where only half of it was done.
        this.changed(repository);
        await this.#after(state);
      }
    });
  }

  /** Something in the repository changed that is in no `write`. */
  changed(repository: string): void {
    this.#changes.set(repository, (this.#changes.get(repository) ?? 0) + 1);
  }

  /** It was found that the metadata may be wrong here. */
  invalidate(repository: string): void {
    this.#invalidate(this.#state(repository));
  }

  /** Looks at every link again, also where all seems well; a repository that is reconciled stays so meanwhile. */
  async rescan(repository: string): Promise<void> {
    if (!(await this.reconcile(repository))) return;
    const state = this.#state(repository);
    await this.alone(repository, async () => {
      const seen = await versionsOf(this.#options.tree, repository);
      if (state.known !== undefined && !sameVersions(seen, state.known)) this.#invalidate(state);
      if (state.known !== undefined) state.known = seen;
    });
    await this.#scan(state);
  }

  /** Runs work while no write of ours changes the repository. */
  alone<T>(repository: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.hold({ exclusive: [repository] }, work);
  }

  /** Takes note of metadata that lost everything. */
  follow(): void {
    if (this.#closed) throw new DrayError("ABORTED", "the registry is closing");
    if (this.#generation === this.#options.metadata.generation) return;
    this.#generation = this.#options.metadata.generation;
    this.#invalid.clear();
    for (const state of this.#states.values()) {
      state.reconciled = false;
      state.known = undefined;
      state.version++;
    }
    this.#options.onInvalid();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { running } of this.#states.values()) await running?.catch(() => {});
  }

  #state(repository: string): ReconcilerState {
    let state = this.#states.get(repository);
    if (state === undefined) {
      state = newState(repository);
      this.#states.set(repository, state);
    }
    return state;
  }

  #drop(state: ReconcilerState): void {
    if (state.exists || state.writing > 0 || state.running !== undefined) return;
    if (this.#states.get(state.repository) !== state || this.#invalid.has(state.repository)) return;
    this.#states.delete(state.repository);
  }

  #invalidate(state: ReconcilerState): void {
    state.version++;
    state.reconciled = false;
    this.#invalid.add(state.repository);
    this.#options.onInvalid();
  }

  #isRecent({ reconciled, checked }: ReconcilerState): boolean {
    return reconciled && this.#options.elapsed() - checked < this.#options.recheckAfter;
  }

  /** One for all who wait. */
  #forward(state: ReconcilerState): Promise<void> {
    state.running ??= this.#look(state).finally(() => {
      state.running = undefined;
      this.#drop(state);
    });
    return state.running;
  }

  async #look(state: ReconcilerState): Promise<void> {
    if (state.reconciled && (await this.#stands(state))) return;
    const { now, elapsed, tree } = this.#options;
    const existed = state.exists;
    for (let pass = 1; ; pass++) {
      this.follow();
      const { version, repository } = state;
      const [at, checked] = [now(), elapsed()];
      const seen = await this.alone(repository, async () => {
        state.known = await versionsOf(tree, repository);
        return state.known;
      });
      await this.#scan(state);
      if (state.version !== version) {
        if (pass < mostPasses) continue;
        throw new DrayError(
          "DISK",
          `the index of ${repository} cannot be brought up to date: it keeps changing or failing`,
        );
      }
      state.reconciled = true;
      state.checked = checked;
      state.racy = areRacy(seen, at);
      this.#invalid.delete(repository);
      // Names that clients make up leave nothing behind.
      if (existed || state.exists) this.changed(repository);
      return;
    }
  }

  /** Whether the directories are as the metadata knows them. */
  async #stands(state: ReconcilerState): Promise<boolean> {
    const { tree, elapsed } = this.#options;
    // Ours are told to the metadata; whether there are others' is seen when there are none of ours.
    if (state.writing > 0 || state.known === undefined) return true;
    const at = elapsed();
    const { writes } = state;
    const seen = await versionsOf(tree, state.repository);
    if (state.writes !== writes) return true;
    if (state.reconciled && !state.racy && sameVersions(seen, state.known)) {
      state.checked = at;
      return true;
    }
    this.#invalidate(state);
    return false;
  }

  /** Reads the tree into the metadata. Metadata that cannot be written goes on in memory. */
  async #scan(state: ReconcilerState): Promise<void> {
    const { metadata, tree, now, onNotice } = this.#options;
    const { repository } = state;
    const { generation } = metadata;
    const check = (): void => {
      this.follow();
      if (metadata.generation !== generation) throw new Lost();
    };
    const alone = <T>(work: () => Promise<T>): Promise<T> => this.alone(repository, work);
    try {
      check();
      await scan(repository, { tree, metadata, now, onNotice, alone, check, onChange: () => this.changed(repository) });
      await alone(async () => {
        state.exists = (await versionsOf(tree, repository)).exists;
        check();
        if (state.exists) metadata.putRepository(repository);
        else if (metadata.hasRepository(repository)) metadata.removeRepository(repository);
      });
    } catch (error) {
      if (metadata.generation === generation) {
        if (!isOfIndex(error)) throw error;
        onNotice({ level: "error", message: `${(error as Error).message}; it goes on in memory` });
        metadata.reset("memory");
      }
      this.follow();
    }
  }

  /** The metadata part of a write: what it fails to tell is read from the tree later. */
  #tell(state: ReconcilerState, work: () => void): void {
    try {
      this.#options.metadata.transaction(work);
    } catch (error) {
      const message = `a write was not indexed, the repository is looked at again: ${(error as Error).message}`;
      this.#options.onNotice({ level: "warn", message, repository: state.repository });
      this.#invalidate(state);
    }
  }

  /** Before the first of several writes: has somebody else been here? */
  async #before(state: ReconcilerState): Promise<void> {
    const { tree, metadata, elapsed } = this.#options;
    try {
      const at = elapsed();
      const seen = await versionsOf(tree, state.repository);
      if (state.known !== undefined) {
        if (!sameVersions(seen, state.known)) this.#invalidate(state);
        state.known = seen;
      } else if (!seen.exists && !metadata.hasRepository(state.repository)) {
        // The write makes it, so all of it will be known.
        Object.assign(state, { known: seen, reconciled: true, checked: at });
        this.#invalid.delete(state.repository);
      }
    } catch {
      this.#invalidate(state);
    }
  }

  /** After the last of several writes: what the directories look like now is our own doing. */
  async #after(state: ReconcilerState): Promise<void> {
    try {
      while (state.writing === 1 && state.known !== undefined) {
        const { writes } = state;
        const seen = await versionsOf(this.#options.tree, state.repository);
        if (state.writes !== writes) continue;
        if (state.known !== undefined) state.known = seen;
        state.exists = seen.exists;
        break;
      }
    } catch {
      this.#invalidate(state);
    } finally {
      state.writing--;
      this.#drop(state);
    }
  }
}

/** The metadata lost everything while it was filled. */
class Lost extends Error {}

const isOfIndex = (error: unknown): boolean => isDrayError(error) && errcodeOf(error.cause) !== undefined;

/** What the reconciler remembers of a repository. */
interface ReconcilerState {
  readonly repository: string;
  /** Whether the metadata said what the tree said, when it was looked at last, and nothing failed since. */
  reconciled: boolean;
  exists: boolean;
  /** The state of its directories that the metadata answers to; our own writes carry it on. */
  known: FileVersions | undefined;
  /** `known` was taken so soon after a change that a later one may hide behind the same times. */
  racy: boolean;
  /** When the directories were compared last. */
  checked: number;
  /** Counts what spoils a scan that is under way. */
  version: number;
  /** Writes of ours that are under way, and all that ever were. */
  writing: number;
  writes: number;
  /** The comparison that the first of them makes for all. */
  before: Promise<void> | undefined;
  /** The look that is under way. */
  running: Promise<void> | undefined;
}

const newState = (repository: string): ReconcilerState => ({
  repository,
  reconciled: false,
  exists: false,
  known: undefined,
  racy: false,
  checked: Number.NEGATIVE_INFINITY,
  version: 0,
  writing: 0,
  writes: 0,
  before: undefined,
  running: undefined,
});

/** The states of the directories that change when a tag or a manifest comes or goes. */
interface FileVersions {
  readonly tags: FileVersion | undefined;
  readonly sha256: FileVersion | undefined;
  readonly sha512: FileVersion | undefined;
  /** Whether there is a repository at all. */
  readonly exists: boolean;
}

const versionsOf = async (tree: Tree, repository: string): Promise<FileVersions> => {
  const [tags, sha256, sha512] = await Promise.all([
    tree.tagsVersion(repository),
    tree.revisionsVersion(repository, "sha256"),
    tree.revisionsVersion(repository, "sha512"),
  ]);
  const some = tags !== undefined || sha256 !== undefined || sha512 !== undefined;
  const exists = some || (await tree.isRepository(repository));
  if (!exists) await tree.refuseGone();
  return { tags, sha256, sha512, exists };
};

const sameVersions = (a: FileVersions, b: FileVersions): boolean =>
  a.exists === b.exists &&
  sameVersion(a.tags, b.tags) &&
  sameVersion(a.sha256, b.sha256) &&
  sameVersion(a.sha512, b.sha512);

const areRacy = ({ tags, sha256, sha512 }: FileVersions, at: number): boolean =>
  [tags, sha256, sha512].some((version) => isRacy(version, at));
