import { DrayError, isDrayError } from "dray/errors";
import type { Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../options.ts";
import { check } from "./check.ts";
import { Settling } from "./settling.ts";
import { Slices } from "./slices.ts";
import type { Difference, Index, Reconciler } from "./types.ts";

export interface ReconcilerOptions {
  readonly tree: Tree;
  readonly index: Index;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds after which a settled repository's directories are compared again; 0: each time. Default 2000. */
  readonly recheckAfter?: number;
  /** Milliseconds until a repository that could not be read is tried again. Default 5000. */
  readonly retryAfter?: number;
  readonly onNotice?: (notice: Notice) => void;
  /** What the index says of a repository changed, not by a write of this process. */
  readonly onChange?: (repository: string) => void;
}

export const createReconciler = (options: ReconcilerOptions): Reconciler => new TreeReconciler(options);

/** Walks all repositories in the background, and then those that were marked. */
class TreeReconciler implements Reconciler {
  readonly #tree: Tree;
  readonly #index: Index;
  readonly #settling: Settling;
  readonly #onNotice: (notice: Notice) => void;
  readonly #retryAfter: number;
  readonly #slices = new Slices();
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  readonly #failed = new Set<string>();
  /** The generation of the index that a walk over all repositories has filled. */
  #walked: number | undefined;
  #started = false;
  #closed = false;
  #work: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #now: () => number;
  readonly #recheckAfter: number;
  #glance: Promise<void> | undefined;
  #nextGlance: number | undefined;

  constructor({
    onNotice = () => {},
    onChange = () => {},
    recheckAfter = 2000,
    retryAfter = 5000,
    ...rest
  }: ReconcilerOptions) {
    this.#tree = rest.tree;
    this.#index = rest.index;
    this.#onNotice = onNotice;
    this.#retryAfter = retryAfter;
    this.#now = rest.now;
    this.#recheckAfter = recheckAfter;
    this.#settling = new Settling({ ...rest, recheckAfter, onNotice, onChange, onMark: () => this.#go() });
  }

  settle(repository: string): Promise<boolean> {
    return this.#settling.settle(repository).finally(() => this.#announce());
  }

  isSettled(repository: string): boolean {
    return !this.#closed && this.#settling.isSettled(repository);
  }

  write<T>(repository: string, tree: () => Promise<T>, index: (result: T) => void): Promise<T> {
    return this.#settling.write(repository, tree, index);
  }

  start(): void {
    this.#started = true;
    this.#go();
  }

  async whole(): Promise<void> {
    if (this.#closed) throw closing();
    if (this.isWhole) return;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.push(waiting);
    this.start();
    await waiting.promise;
  }

  get isWhole(): boolean {
    return !this.#closed && this.#walked === this.#index.generation && this.#settling.unsettled.size === 0;
  }

  async refresh(): Promise<void> {
    await this.whole();
    await this.#each((repository) => this.#settling.rescan(repository));
    await this.whole();
  }

  glance(): void {
    // Just after the look at everything there is nothing to find.
    this.#nextGlance ??= this.#now() + this.#recheckAfter;
    if (!this.isWhole || this.#glance !== undefined || this.#now() < this.#nextGlance) return;
    const begun = performance.now();
    this.#glance = this.#each(async (repository, inTree) => {
      if (!inTree || !this.#index.hasRepository(repository))
        await this.#attempt(repository, () => this.#settling.settle(repository));
    })
      .catch((error: unknown) => {
        const message = `repositories of other programs cannot be looked for: ${(error as Error).message}`;
        if (!this.#closed) this.#onNotice({ level: "error", message });
      })
      .finally(() => {
        this.#glance = undefined;
        this.#nextGlance = this.#now() + Math.max(this.#recheckAfter, glanceShare * (performance.now() - begun));
      });
  }

  async rebuild(): Promise<void> {
    if (this.#closed) throw closing();
    this.#index.reset();
    this.#settling.follow();
    await this.whole();
  }

  check(options: { signal?: AbortSignal } = {}): AsyncIterable<Difference> {
    const alone = <T>(repository: string, work: () => Promise<T>): Promise<T> => this.#settling.alone(repository, work);
    return check({ tree: this.#tree, index: this.#index, alone, ...options });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    for (const { reject } of this.#waiting.splice(0)) reject(closing());
    await this.#settling.close();
    await this.#work;
    await this.#glance;
  }

  /** Works in the background as long as there is something to do. */
  #go(): void {
    if (!this.#started || this.#closed || this.#work !== undefined) return;
    this.#work = this.#catchUp().finally(() => {
      this.#work = undefined;
      this.#announce();
      if (this.#next() !== undefined) this.#go();
    });
  }

  async #catchUp(): Promise<void> {
    // Requests that are there already go first.
    await new Promise((resolve) => void setImmediate(resolve));
    while (!this.#closed) {
      const next = this.#next();
      if (next === undefined) return;
      await this.#attempt(next, next === everything ? () => this.#walk() : () => this.#settling.settle(next));
      await this.#slices.rest();
    }
  }

  #next(): string | undefined {
    if (this.#closed) return undefined;
    if (this.#walked !== this.#index.generation && !this.#failed.has(everything)) return everything;
    for (const repository of this.#settling.unsettled) if (!this.#failed.has(repository)) return repository;
    return undefined;
  }

  async #walk(): Promise<void> {
    const { generation } = this.#index;
    await this.#each(async (repository) => {
      if (this.#index.generation === generation && !this.#settling.isSettled(repository))
        await this.#attempt(repository, () => this.#settling.settle(repository));
    });
    this.#walked = generation;
  }

  /** Every repository of the tree, then those that only the index has. */
  async #each(work: (repository: string, inTree: boolean) => Promise<void>): Promise<void> {
    const of = async (repository: string, inTree: boolean): Promise<void> => {
      if (this.#closed) throw closing();
      await work(repository, inTree);
      await this.#slices.rest();
    };
    for await (const repository of this.#tree.repositories()) await of(repository, true);
    for (let after = ""; ; ) {
      const page = this.#index.repositories({ after, limit: 500 });
      for (const repository of page) if (!(await this.#tree.isRepository(repository))) await of(repository, false);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  /** What fails is told, left for a while, and tried again. */
  async #attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#closed || isDrayError(error, "ABORTED")) return;
      const repository = what === everything ? {} : { repository: what };
      const message = `the index cannot be brought up to date, and it is tried again: ${(error as Error).message}`;
      this.#onNotice({ level: "error", message, ...repository });
      this.#failed.add(what);
      if (what !== everything) this.#settling.mark(what);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#failed.clear();
        this.#go();
      }, this.#retryAfter).unref();
    }
  }

  #announce(): void {
    if (this.#waiting.length > 0 && this.isWhole) for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}

/** The walk over all repositories; no repository is called so. */
const everything = "";

/** Looking for repositories takes a fiftieth of the time at most. */
const glanceShare = 50;

const closing = (): DrayError => new DrayError("ABORTED", "the registry is closing");
