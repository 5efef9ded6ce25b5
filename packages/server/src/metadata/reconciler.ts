import { setTimeout as sleep } from "node:timers/promises";
import { DrayError, isDrayError } from "dray/errors";
import { Yielding } from "dray/internal/async";
import type { Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { check } from "./check.ts";
import type { Metadata } from "./metadata.ts";
import { pages } from "./pages.ts";
import type { Difference } from "./records.ts";
import { RepositoryReconciler } from "./repository-reconciler.ts";

export interface ReconcilerOptions {
  readonly tree: Tree;
  readonly metadata: Metadata;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds that go on evenly. Default: `now`. */
  readonly elapsed?: () => number;
  /** Milliseconds after which a reconciled repository's directories are compared again; 0: each time. Default 2000. */
  readonly recheckAfter?: number;
  /** Milliseconds until a repository that could not be read is tried again. Default 5000. */
  readonly retryAfter?: number;
  readonly onNotice?: (notice: Notice) => void;
}

/**
 * Keeps the metadata equal to the tree. Each start looks at every repository in the background, and then at those that were invalidated;
 * writes of this process are told to it; those of another are noticed by the times of directories.
 */
export class Reconciler {
  readonly #options: Required<ReconcilerOptions>;
  /** Each by itself: what is known of it, and writes of this process to it. */
  readonly repositories: RepositoryReconciler;
  readonly #yielding = new Yielding();
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  readonly #settling: PromiseWithResolvers<void>[] = [];
  readonly #failed = new Set<string>();
  /** The generation of the metadata that a walk over all repositories has filled. */
  #walked: number | undefined;
  #started = false;
  #closed = false;
  #work: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #discovery: Promise<void> | undefined;
  #nextDiscovery: number | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = {
      onNotice: () => {},
      recheckAfter: 2000,
      retryAfter: 5000,
      elapsed: options.now,
      ...options,
    };
    this.repositories = new RepositoryReconciler({ ...this.#options, onInvalid: () => this.#go() });
  }

  /**
   * Resolves when the metadata says of this repository what the tree says, having read the tree if need be: after the start, after a
   * failed write of the metadata, after another program changed it. `false`: there is no such repository.
   */
  reconcile(repository: string): Promise<boolean> {
    return this.repositories.reconcile(repository).finally(() => this.#announce());
  }

  /**
   * Takes a repository away while no write of this process changes it, and forgets it.
   * @param remove tells whether it is gone
   */
  takeAway(repository: string, remove: () => Promise<boolean>): Promise<boolean> {
    return this.repositories.alone(repository, async () => {
      const isGone = await remove();
      if (isGone) this.#options.metadata.removeRepository(repository);
      // Whatever is there now is looked at anew.
      this.repositories.invalidate(repository);
      return isGone;
    });
  }

  /** Begins the look at every repository. */
  start(): void {
    this.#started = true;
    this.#go();
  }

  /** Resolves when every repository is reconciled; begins the look if nobody did. Rejects after `close`. */
  async reconciled(): Promise<void> {
    if (this.#closed) throw closing();
    if (this.isComplete) return;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.push(waiting);
    this.start();
    await waiting.promise;
  }

  /**
   * Resolves when every repository is reconciled, or has been tried and cannot be at the moment: `isComplete` tells which. Begins the
   * look if nobody did. Rejects after `close`.
   */
  async settled(): Promise<void> {
    if (this.#closed) throw closing();
    this.start();
    if (this.#isSettled) return;
    const waiting = Promise.withResolvers<void>();
    this.#settling.push(waiting);
    await waiting.promise;
  }

  get #isSettled(): boolean {
    return this.#work === undefined && this.#next() === undefined;
  }

  /** Looks at every link of one repository again, also at what was found unreadable. */
  rescan(repository: string): Promise<void> {
    return this.repositories.rescan(repository).finally(() => this.#announce());
  }

  get isComplete(): boolean {
    return !this.#closed && this.#walked === this.#options.metadata.generation && this.repositories.invalid.size === 0;
  }

  /**
   * Looks at every link of every repository again and resolves when all of that is done: also at what changes no directory's time,
   * such as another program's writing a tag or a revision that had a folder already.
   */
  async refresh(): Promise<void> {
    await this.reconciled();
    await this.#each((repository) => this.repositories.rescan(repository));
    await this.reconciled();
  }

  /**
   * Looks in the background for repositories that another program made or removed, unless it did so lately: for lists of
   * repositories, which no directory's time vouches for.
   * @returns resolves when that is done, or has taken so long that who asks for a list should have it as it is
   */
  async discover(): Promise<void> {
    // Just after the look at everything there is nothing to find.
    this.#nextDiscovery ??= this.#options.elapsed() + this.#options.recheckAfter;
    if (this.#discovery === undefined && this.isComplete && this.#options.elapsed() >= this.#nextDiscovery)
      this.#discovery = this.#discovered();
    if (this.#discovery === undefined) return;
    const late = new AbortController();
    const enough = sleep(patience, undefined, { signal: late.signal, ref: false }).catch(() => {});
    await Promise.race([this.#discovery, enough]);
    late.abort();
  }

  #discovered(): Promise<void> {
    const begun = performance.now();
    return this.#each(async (repository, inTree) => {
      if (!inTree || !this.#options.metadata.hasRepository(repository))
        await this.#attempt(repository, () => this.repositories.reconcile(repository));
    })
      .catch((error: unknown) => {
        const message = `repositories of other programs cannot be looked for: ${(error as Error).message}`;
        if (!this.#closed) this.#options.onNotice({ level: "error", message });
      })
      .finally(() => {
        this.#discovery = undefined;
        this.#nextDiscovery =
          this.#options.elapsed() + Math.max(this.#options.recheckAfter, discoveryShare * (performance.now() - begun));
      });
  }

  /** Forgets everything and begins again. */
  async rebuild(): Promise<void> {
    if (this.#closed) throw closing();
    await this.#options.tree.refuseGone();
    this.#options.metadata.reset();
    this.repositories.follow();
    await this.reconciled();
  }

  /** What differs between metadata and tree, read-only. */
  check(options: { signal?: AbortSignal } = {}): AsyncIterable<Difference> {
    const alone = <T>(repository: string, work: () => Promise<T>): Promise<T> =>
      this.repositories.alone(repository, work);
    return check({ tree: this.#options.tree, metadata: this.#options.metadata, alone, ...options });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    for (const { reject } of [...this.#waiting.splice(0), ...this.#settling.splice(0)]) reject(closing());
    await this.repositories.close();
    await this.#work;
    await this.#discovery;
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
      await this.#attempt(next, next === everything ? () => this.#walk() : () => this.repositories.reconcile(next));
      await this.#yielding.turn();
    }
  }

  #next(): string | undefined {
    if (this.#closed) return undefined;
    if (this.#walked !== this.#options.metadata.generation && !this.#failed.has(everything)) return everything;
    for (const repository of this.repositories.invalid) if (!this.#failed.has(repository)) return repository;
    return undefined;
  }

  async #walk(): Promise<void> {
    const { generation } = this.#options.metadata;
    await this.#each(async (repository) => {
      if (this.#options.metadata.generation === generation && !this.repositories.isReconciled(repository))
        await this.#attempt(repository, () => this.repositories.reconcile(repository));
    });
    this.#walked = generation;
  }

  /** Every repository of the tree, then those that only the metadata has. */
  async #each(work: (repository: string, inTree: boolean) => Promise<void>): Promise<void> {
    const of = async (repository: string, inTree: boolean): Promise<void> => {
      if (this.#closed) throw closing();
      await work(repository, inTree);
      await this.#yielding.turn();
    };
    // What lies beside a folder that cannot be listed is looked at all the same.
    let broken: Error | undefined;
    const onBroken = (_: string, error: unknown): void => {
      if (!(error instanceof Error)) throw error;
      broken ??= error;
    };
    for await (const repository of this.#options.tree.repositories("", onBroken)) await of(repository, true);
    await this.#options.tree.refuseGone();
    for (const names of pages(500, (page) => this.#options.metadata.repositories(page)))
      for (const repository of names)
        if (!(await this.#options.tree.isRepository(repository))) await of(repository, false);
    if (broken !== undefined) throw broken;
  }

  /** What fails is told, left for a while, and tried again. */
  async #attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#closed || isDrayError(error, "ABORTED")) return;
      const repository = what === everything ? {} : { repository: what };
      const message = `the index cannot be brought up to date, and it is tried again: ${(error as Error).message}`;
      this.#options.onNotice({ level: "error", message, ...repository });
      this.#failed.add(what);
      if (what !== everything) this.repositories.invalidate(what);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#failed.clear();
        this.#go();
      }, this.#options.retryAfter).unref();
    }
  }

  #announce(): void {
    if (this.#settling.length > 0 && this.#isSettled) for (const { resolve } of this.#settling.splice(0)) resolve();
    if (this.#waiting.length > 0 && this.isComplete) for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}

/** The walk over all repositories; no repository is called so. */
const everything = "";

/** Milliseconds that a list of repositories waits for what another program may have made. */
const patience = 500;

/** Looking for repositories takes a fiftieth of the time at most. */
const discoveryShare = 50;

const closing = (): DrayError => new DrayError("ABORTED", "the registry is closing");
