import { DrayError, isDrayError, reasonOf } from "dray/errors";
import { type Clock, systemClock } from "dray/http";
import { refuseNumber } from "dray/internal/numbers";
import type { Client } from "../client/index.ts";
import type { WatchFile } from "../file/index.ts";
import { parseRepository, type Repository } from "../repository.ts";
import {
  addRepository,
  allRepositories,
  dropFarDates,
  type Intervals,
  newHolder,
  type RepositoryState,
  type Selection,
} from "../state/index.ts";
import { type LookOptions, type LookResult, longestWait, lookAt } from "./look.ts";
import { DueQueue } from "./queue.ts";

/** What is wanted of a repository. */
export interface Wanted extends Selection {
  /** Of tags that are wanted, those whose manifest and configuration are read, most wanted first. Default: none. */
  details?(tags: readonly string[]): readonly string[];
}

/** How registries are looked at, and how often. */
export interface RefreshOptions {
  /** Open, with the tables of the state, the events and the ledger. */
  readonly file: WatchFile;
  /** The registry of a repository, as it is to be asked now: with the credentials of today. */
  readonly clientFor: (repository: Repository) => Promise<Client>;
  /** What is wanted of a repository. Default: every tag. */
  readonly wanted?: ((repository: Repository) => Wanted) | undefined;
  /** Milliseconds between two looks at what a tag names: 5 minutes to 7 days, 1 hour at first. */
  readonly tagIntervals?: Partial<Intervals> | undefined;
  /** Milliseconds between two lists of a repository: 5 minutes to 6 hours, 1 hour at first. */
  readonly listIntervals?: Partial<Intervals> | undefined;
  /** Repositories of one registry that are looked at at the same time. Default 4. */
  readonly repositoriesAtOnce?: number | undefined;
  /** Tags of one repository that are asked for at the same time. Default 8. */
  readonly tagsAtOnce?: number | undefined;
  /** Hears of what each look came to. */
  readonly onLook?: ((result: LookResult) => void) | undefined;
  /** Hears of a look that failed for a reason of ours, such as a full disk. */
  readonly onError?: ((error: unknown, repository: string) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** Looks at repositories when they are due. */
export interface Refresh {
  /** Makes a repository known and due. */
  add(repository: Repository): Promise<void>;
  /**
   * Looks at a repository now, whenever it is due.
   * @throws DrayError where the file cannot be written; what a registry does wrong is in the result.
   */
  look(repository: Repository, options?: LookOptions): Promise<LookResult>;
  /** Looks at all that is known, each when it is due, until the signal. Registries do not wait for each other. */
  run(signal: AbortSignal): Promise<void>;
  /** Milliseconds by which the repository that has waited longest is late, and how many are due. */
  lag(): { readonly late: number; readonly due: number };
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

/**
 * The engine of a watch: a queue for each registry, by deadline, and looks whose results are in the file with each step.
 * @throws DrayError `USAGE`
 * @example
 * const refresh = createRefresh({ file, clientFor: (repository) => factory.clientFor(repository) });
 * const { complete, events } = await refresh.look(parseRepository("alpine"), { now: "list" });
 */
export const createRefresh = (options: RefreshOptions): Refresh => {
  const { file, clientFor, clock = systemClock, repositoriesAtOnce = 4, tagsAtOnce = 8 } = options;
  refuseNumber("repositoriesAtOnce", repositoriesAtOnce);
  refuseNumber("tagsAtOnce", tagsAtOnce);
  const intervals = {
    tag: { first: hour, least: 5 * minute, most: 7 * day, ...options.tagIntervals },
    list: { first: hour, least: 5 * minute, most: 6 * hour, ...options.listIntervals },
  };
  /** Milliseconds from now after which nothing is planned. */
  const horizon = Math.max(intervals.list.most, intervals.tag.most, longestWait) + minute;
  const holder = newHolder();
  const wantedOf = (repository: Repository): Wanted => options.wanted?.(repository) ?? everyTag;
  const queues = new Map<string, RegistryQueue>();
  const running = new Map<string, Promise<LookResult>>();

  const look = async (repository: Repository, asked: LookOptions = {}): Promise<LookResult> => {
    // One look at a time: who comes meanwhile may want what this one does not do.
    for (let other = running.get(repository.text); other !== undefined; other = running.get(repository.text))
      await other.catch(() => {});
    const work = oneLook(repository, asked);
    running.set(repository.text, work);
    try {
      return await work;
    } finally {
      running.delete(repository.text);
      const queue = queues.get(repository.host);
      queue?.put(repository.text, dueOf(repository.text));
    }
  };

  const oneLook = async (repository: Repository, asked: LookOptions): Promise<LookResult> => {
    const known = await file.write((on) => {
      const now = clock.now();
      const added = addRepository(on, repository.text, now);
      dropFarDates(on, added.id, now, now + horizon);
      return added;
    }, asked.signal);
    const wanted = wantedOf(repository);
    const client = await unlessRefused(() => clientFor(repository));
    const parts = {
      file,
      client,
      selection: wanted,
      details: (tags: readonly string[]) => wanted.details?.(tags) ?? [],
      holder,
      clock,
      intervals,
      concurrency: tagsAtOnce,
    };
    const result = await lookAt(known, parts, asked);
    options.onLook?.(result);
    return result;
  };

  const dueOf = (name: string): number =>
    Number(file.statements.get("SELECT due FROM repositories WHERE name = ?", name)?.[0] ?? 0);

  const queueOf = (host: string): RegistryQueue => {
    const queue = queues.get(host) ?? new RegistryQueue(repositoriesAtOnce, clock, () => enqueueAll(host));
    queues.set(host, queue);
    return queue;
  };

  const enqueue = ({ name, due }: Pick<RepositoryState, "name" | "due">): void => {
    const now = clock.now();
    queueOf(parseRepository(name).host).put(name, due > now + horizon ? now : due);
  };

  /** All that are waiting, or those of one registry. */
  const enqueueAll = (host?: string): void => {
    for (const known of allRepositories(file.statements))
      if (!running.has(known.name) && (host === undefined || parseRepository(known.name).host === host)) enqueue(known);
  };

  let onQueue: ((queue: RegistryQueue) => void) | undefined;
  return {
    add: async (repository) => {
      const known = await file.write((on) => addRepository(on, repository.text, clock.now()));
      enqueue(known);
      onQueue?.(queueOf(repository.host));
    },
    look,
    run: async (signal) => {
      enqueueAll();
      const works = new Map<RegistryQueue, Promise<void>>();
      const turn = async (name: string): Promise<void> => {
        try {
          const { held } = await look(parseRepository(name), { signal });
          if (held) queueOf(parseRepository(name).host).put(name, clock.now() + minute);
        } catch (error) {
          if (signal.aborted) return;
          options.onError?.(error, name);
          queueOf(parseRepository(name).host).put(name, clock.now() + intervals.list.least);
        }
      };
      const stopped = Promise.withResolvers<void>();
      const stop = (): void => stopped.resolve();
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      onQueue = (queue) => {
        if (!works.has(queue)) works.set(queue, queue.work(turn, signal));
      };
      for (const queue of queues.values()) onQueue(queue);
      await stopped.promise;
      onQueue = undefined;
      await Promise.all(works.values());
    },
    lag: () => {
      const now = clock.now();
      const [first, due] = file.statements.get("SELECT min(due), count(*) FROM repositories WHERE due <= ?", now) ?? [];
      return { late: typeof first === "number" ? now - first : 0, due: Number(due ?? 0) };
    },
  };
};

const everyTag: Wanted = { text: "", wants: () => true };

/** A registry that cannot even be connected to is one that answers by an error: the look says so. */
const unlessRefused = async (make: () => Promise<Client>): Promise<Client> => {
  try {
    return await make();
  } catch (error) {
    if (isDrayError(error, "ABORTED")) throw error;
    const fail = async (): Promise<never> => {
      throw isDrayError(error) ? error : new DrayError("REGISTRY", reasonOf(error), { cause: error });
    };
    return { tags: fail, digest: fail, manifest: fail } as unknown as Client;
  }
};

/** The repositories of one registry, so many of them at a time. */
class RegistryQueue {
  readonly #queue = new DueQueue();
  readonly #atOnce: number;
  readonly #clock: Clock;
  readonly #onSetBack: () => void;
  #alarm: AbortController | undefined;

  /** @param onSetBack the clock was set back: what waits was planned by another one */
  constructor(atOnce: number, clock: Clock, onSetBack: () => void) {
    this.#atOnce = atOnce;
    this.#clock = clock;
    this.#onSetBack = onSetBack;
  }

  put(name: string, due: number): void {
    this.#queue.put(name, due);
    this.#alarm?.abort();
  }

  /** Gives each repository its turn when it is due, until the signal. */
  async work(turn: (name: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    const busy = new Set<Promise<void>>();
    let before = this.#clock.now();
    while (!signal.aborted) {
      const now = this.#clock.now();
      if (now < before) this.#onSetBack();
      before = now;
      const next = busy.size < this.#atOnce ? this.#queue.take(now) : undefined;
      if (next !== undefined) {
        const work = turn(next.name).finally(() => {
          busy.delete(work);
          this.#alarm?.abort();
        });
        busy.add(work);
        continue;
      }
      const alarm = new AbortController();
      this.#alarm = alarm;
      const due = this.#queue.peek()?.due;
      const wait = busy.size >= this.#atOnce || due === undefined ? longest : Math.max(1, due - this.#clock.now());
      // A clock that was set is looked at again before long.
      await this.#clock.sleep(Math.min(longest, wait), AbortSignal.any([alarm.signal, signal])).catch(() => {});
    }
    await Promise.all(busy);
  }
}

const longest = 10 * minute;
