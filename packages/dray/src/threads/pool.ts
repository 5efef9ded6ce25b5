import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { forgetters } from "./blocks.ts";
import { type Handler, type Job, Thread } from "./channel.ts";

/** What a thread runs: text that the build has made, which needs no file beside it; from sources the file. */
export type Script = string | URL;

export interface PoolOptions<Q, A> {
  /** Called when the first thread starts, so that whoever needs none never looks for a file. */
  readonly script: () => Script;
  /** Loads what does the work of a thread where none can run. */
  readonly inPlace: () => Promise<() => Handler<Q, A>>;
  /** Threads at most, asked when the first starts. Default: one for each processor, up to four: a network delivers less than four cores hash and write. */
  readonly most?: () => number;
  /** Starts a thread. Default: a worker thread of this process. */
  readonly start?: (script: Script) => Worker;
}

/** A place at a thread, for one job: `thread.ask(id, …)`. */
export interface Place<Q, A> {
  readonly thread: Thread<Q, A>;
  readonly id: number;
}

/** Every pool with threads. */
const pools = new Set<{ close(): Promise<void> }>();

/**
 * A bounded pool of worker threads with one script. Each job stays with one thread, which does many; threads start while those there
 * have something to do, and keep no process alive but while they owe an answer.
 */
export class ThreadPool<Q, A> {
  readonly #options: PoolOptions<Q, A>;
  readonly #threads: Thread<Q, A>[] = [];
  /** Threads cannot run here. */
  #inPlace = false;
  readonly #forget = (block: number): void => {
    for (const thread of this.#threads) thread.forget(block);
  };

  constructor(options: PoolOptions<Q, A>) {
    this.#options = options;
  }

  /** A place at the thread with the least to do. */
  join(job: Job<A>): Place<Q, A> {
    const thread = this.#leastBusy();
    return { thread, id: thread.join(job) };
  }

  /** Ends its threads; what is under way fails. The next job starts others. */
  async close(): Promise<void> {
    pools.delete(this);
    forgetters.delete(this.#forget);
    await Promise.all(this.#threads.splice(0).map((thread) => thread.end()));
  }

  #leastBusy(): Thread<Q, A> {
    let found: Thread<Q, A> | undefined;
    for (const thread of this.#threads) if (found === undefined || thread.busy < found.busy) found = thread;
    const { most = onePerCore } = this.#options;
    return found === undefined || (found.busy > 0 && !this.#inPlace && this.#threads.length < most())
      ? this.#start()
      : found;
  }

  #start(): Thread<Q, A> {
    const { script, inPlace, start = startWorker } = this.#options;
    const thread = new Thread<Q, A>(this.#inPlace ? undefined : () => start(script()), inPlace, (early) => {
      // One that does without its worker stays.
      if (early) this.#inPlace = true;
      else if (this.#threads.includes(thread)) this.#threads.splice(this.#threads.indexOf(thread), 1);
    });
    this.#threads.push(thread);
    pools.add(this);
    forgetters.add(this.#forget);
    return thread;
  }
}

const onePerCore = (): number => Math.min(4, availableParallelism());

const startWorker = (script: Script): Worker => {
  // Loaded with the first thread: most programs do everything in place, and many only ask a small question.
  const threads = process.getBuiltinModule("node:worker_threads");
  // What this process was started with is not for the worker: `--input-type` or `--eval` would make it fail.
  return new threads.Worker(script, { eval: typeof script === "string", execArgv: [] });
};

/** Ends the threads of all pools; what is under way fails. They keep no process alive, so this is for tests and for programs that live long. */
export const closeThreads = async (): Promise<void> => {
  await Promise.all([...pools].map((pool) => pool.close()));
};
