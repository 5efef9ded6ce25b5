import { DrayError, isDrayError } from "dray/errors";
import type { Tree } from "../distribution-tree/index.ts";
import { KeyedRwLock } from "../locks/index.ts";
import type { Notice } from "../options.ts";
import { errcodeOf } from "./open-database.ts";
import { scan } from "./scan.ts";
import { areFresh, sameStamps, stampsOf } from "./stamps.ts";
import { newState, type ReconcilerState } from "./state.ts";
import type { Index } from "./types.ts";

export interface SettlingOptions {
  readonly tree: Tree;
  readonly index: Index;
  readonly now: () => number;
  readonly recheckAfter: number;
  readonly onNotice: (notice: Notice) => void;
  readonly onChange: (repository: string) => void;
  /** A repository was marked; somebody should look at it. */
  readonly onMark: () => void;
}

/** A foreign writer and ours at the same moment, again and again: then somebody has to wait. */
const mostPasses = 6;

/** Brings repositories forward one by one, and tells writes of ours from those of others. */
export class Settling {
  readonly #options: SettlingOptions;
  readonly #states = new Map<string, ReconcilerState>();
  /** Writes share a repository, a batch of a scan has it alone. */
  readonly #locks = new KeyedRwLock();
  readonly #unsettled = new Set<string>();
  #generation: number;
  #closed = false;

  constructor(options: SettlingOptions) {
    this.#options = options;
    this.#generation = options.index.generation;
  }

  /** Repositories that were marked and not looked at since. */
  get unsettled(): ReadonlySet<string> {
    return this.#unsettled;
  }

  get generation(): number {
    return this.#generation;
  }

  isSettled(repository: string): boolean {
    this.follow();
    return this.#states.get(repository)?.reconciled === true;
  }

  /** See `Reconciler.settle`. */
  async settle(repository: string): Promise<boolean> {
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

  /** See `Reconciler.write`. */
  write<T>(repository: string, tree: () => Promise<T>, index: (result: T) => void): Promise<T> {
    return this.#locks.hold({ shared: [repository] }, async () => {
      this.follow();
      const state = this.#state(repository);
      state.writes++;
      if (++state.writing === 1) state.before = this.#before(state);
      try {
        await state.before;
        const result = await tree();
        this.#tell(state, () => index(result));
        return result;
      } catch (error) {
        // Half of it may be done.
        this.#mark(state);
        throw error;
      } finally {
        await this.#after(state);
      }
    });
  }

  /** It was found that the index may be wrong here. */
  mark(repository: string): void {
    this.#mark(this.#state(repository));
  }

  /** Looks at every link again, also where all seems well; a repository that is settled stays so meanwhile. */
  async rescan(repository: string): Promise<void> {
    if (!(await this.settle(repository))) return;
    const state = this.#state(repository);
    await this.alone(repository, async () => {
      const seen = await stampsOf(this.#options.tree, repository);
      if (state.known !== undefined && !sameStamps(seen, state.known)) this.#mark(state);
      if (state.known !== undefined) state.known = seen;
    });
    await this.#scan(state);
  }

  /** Runs work while no write of ours changes the repository. */
  alone<T>(repository: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.hold({ exclusive: [repository] }, work);
  }

  /** Takes note of an index that lost everything. */
  follow(): void {
    if (this.#closed) throw new DrayError("ABORTED", "the registry is closing");
    if (this.#generation === this.#options.index.generation) return;
    this.#generation = this.#options.index.generation;
    this.#unsettled.clear();
    for (const state of this.#states.values()) {
      state.reconciled = false;
      state.known = undefined;
      state.version++;
    }
    this.#options.onMark();
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
    if (this.#states.get(state.repository) !== state || this.#unsettled.has(state.repository)) return;
    this.#states.delete(state.repository);
  }

  #mark(state: ReconcilerState): void {
    state.version++;
    state.reconciled = false;
    this.#unsettled.add(state.repository);
    this.#options.onMark();
  }

  #isRecent({ reconciled, checked }: ReconcilerState): boolean {
    return reconciled && this.#options.now() - checked < this.#options.recheckAfter;
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
    const { now, tree, onChange } = this.#options;
    const existed = state.exists;
    for (let pass = 1; ; pass++) {
      this.follow();
      const { version: marks, repository } = state;
      const at = now();
      const seen = await this.alone(repository, async () => {
        state.known = await stampsOf(tree, repository);
        return state.known;
      });
      await this.#scan(state);
      if (state.version !== marks) {
        if (pass < mostPasses) continue;
        throw new DrayError(
          "DISK",
          `the index of ${repository} cannot be brought up to date: it keeps changing or failing`,
        );
      }
      state.reconciled = true;
      state.checked = at;
      state.racy = areFresh(seen, at);
      this.#unsettled.delete(repository);
      // Names that clients make up leave nothing behind.
      if (existed || state.exists) onChange(repository);
      return;
    }
  }

  /** Whether the directories are as the index knows them. */
  async #stands(state: ReconcilerState): Promise<boolean> {
    const { tree, now } = this.#options;
    // Ours are told to the index; whether there are others' is seen when there are none of ours.
    if (state.writing > 0 || state.known === undefined) return true;
    const at = now();
    const { writes: entered } = state;
    const seen = await stampsOf(tree, state.repository);
    if (state.writes !== entered) return true;
    if (state.reconciled && !state.racy && sameStamps(seen, state.known)) {
      state.checked = at;
      return true;
    }
    this.#mark(state);
    return false;
  }

  /** Reads the tree into the index. An index that cannot be written goes on in memory. */
  async #scan(state: ReconcilerState): Promise<void> {
    const { index, tree, now, onNotice, onChange } = this.#options;
    const { repository } = state;
    const { generation } = index;
    const check = (): void => {
      this.follow();
      if (index.generation !== generation) throw new Lost();
    };
    const alone = <T>(work: () => Promise<T>): Promise<T> => this.alone(repository, work);
    try {
      check();
      await scan(repository, { tree, index, now, onNotice, alone, check, onChange: () => onChange(repository) });
      await alone(async () => {
        state.exists = (await stampsOf(tree, repository)).exists;
        check();
        if (state.exists) index.putRepository(repository);
        else if (index.hasRepository(repository)) index.removeRepository(repository);
      });
    } catch (error) {
      if (index.generation === generation) {
        if (!isOfIndex(error)) throw error;
        onNotice({ level: "error", message: `${(error as Error).message}; it goes on in memory` });
        index.reset("memory");
      }
      this.follow();
    }
  }

  /** The index part of a write: what it fails to tell is read from the tree later. */
  #tell(state: ReconcilerState, work: () => void): void {
    try {
      this.#options.index.together(work);
    } catch (error) {
      const message = `a write was not indexed, the repository is looked at again: ${(error as Error).message}`;
      this.#options.onNotice({ level: "warn", message, repository: state.repository });
      this.#mark(state);
    }
  }

  /** Before the first of several writes: has somebody else been here? */
  async #before(state: ReconcilerState): Promise<void> {
    const { tree, index, now } = this.#options;
    try {
      const at = now();
      const seen = await stampsOf(tree, state.repository);
      if (state.known !== undefined) {
        if (!sameStamps(seen, state.known)) this.#mark(state);
        state.known = seen;
      } else if (!seen.exists && !index.hasRepository(state.repository)) {
        // The write makes it, so all of it will be known.
        Object.assign(state, { known: seen, reconciled: true, checked: at });
        this.#unsettled.delete(state.repository);
      }
    } catch {
      this.#mark(state);
    }
  }

  /** After the last of several writes: what the directories look like now is our own doing. */
  async #after(state: ReconcilerState): Promise<void> {
    try {
      while (state.writing === 1 && state.known !== undefined) {
        const { writes: entered } = state;
        const seen = await stampsOf(this.#options.tree, state.repository);
        if (state.writes !== entered) continue;
        if (state.known !== undefined) state.known = seen;
        state.exists = seen.exists;
        break;
      }
    } catch {
      this.#mark(state);
    } finally {
      state.writing--;
      this.#drop(state);
    }
  }
}

/** The index lost everything while it was filled. */
class Lost extends Error {}

const isOfIndex = (error: unknown): boolean => isDrayError(error) && errcodeOf(error.cause) !== undefined;
