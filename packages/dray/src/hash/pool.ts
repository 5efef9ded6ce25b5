import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import type { FromWorker, ToWorker } from "./messages.ts";
import { hashesFast } from "./speed.ts";

/** Threads of one kind at most. A network delivers less than four cores hash; one that hashes fast keeps up with this thread, which has a core as well. */
const most = (): number => Math.min(4, Math.max(1, availableParallelism() - (hashesFast("sha256") ? 1 : 0)));

/** What a running hash hears of its worker. */
export interface HashJob {
  answered(answer: FromWorker): void;
  failed(error: Error): void;
}

/** A place at a worker, for one hash. */
export interface HashPlace {
  readonly id: number;
  send(message: ToWorker, transfer: readonly ArrayBuffer[]): void;
  /** Gives the place back. */
  leave(): void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, HashJob>;
}

/** Every pool there is. */
const pools: HashPool[] = [];
let lastId = 0;

/** Threads that run the same file. */
export class HashPool {
  readonly #file: URL;
  readonly #threads: Thread[] = [];

  /** `file`: what a thread runs, which answers as `hash.worker.ts` does. */
  constructor(file: URL) {
    this.#file = file;
    pools.push(this);
  }

  /** A place at the worker with the least to do; workers start when the ones there are busy. */
  join(job: HashJob): HashPlace {
    const thread = this.#leastBusy();
    const id = ++lastId;
    thread.jobs.set(id, job);
    // Only a worker with work keeps the process alive: without that, a program that waits for nothing but a digest would end.
    thread.worker.ref();
    return {
      id,
      send: (message, transfer) => thread.worker.postMessage(message, [...transfer]),
      leave: () => {
        thread.jobs.delete(id);
        // One that is being ended is waited for.
        if (thread.jobs.size === 0 && this.#threads.includes(thread)) thread.worker.unref();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  #leastBusy(): Thread {
    let found: Thread | undefined;
    for (const thread of this.#threads) if (found === undefined || thread.jobs.size < found.jobs.size) found = thread;
    return found === undefined || (found.jobs.size > 0 && this.#threads.length < most()) ? this.#start() : found;
  }

  #start(): Thread {
    // Loaded with the first thread: most programs hash in place, and many only ask a small question.
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    // What this process was started with is not for the worker: `--input-type` or `--eval` would make it fail.
    const worker = new Worker(this.#file, { execArgv: [] });
    const thread: Thread = { worker, jobs: new Map() };
    const ended = (cause: unknown): void => {
      const at = this.#threads.indexOf(thread);
      if (at >= 0) this.#threads.splice(at, 1);
      const error = new Error("the thread that computes digests ended early", { cause });
      for (const job of thread.jobs.values()) job.failed(error);
      thread.jobs.clear();
    };
    worker.on("message", (answer: FromWorker) => thread.jobs.get(answer.id)?.answered(answer));
    worker.on("messageerror", ended);
    worker.on("error", ended);
    worker.on("exit", (code) => ended(new Error(`exit code ${code}`)));
    this.#threads.push(thread);
    return thread;
  }
}

/** Beside this file in the sources and in the built package; an executable embeds it as an entry point of its own, flat beside the main one. */
const workerUrl = (): URL =>
  new URL(import.meta.url.endsWith(".ts") ? "./hash.worker.ts" : "./hash.worker.js", import.meta.url);

/** Threads that hash and write. */
export const hashPool: HashPool = new HashPool(workerUrl());

/** Ends the threads that compute digests, of all kinds; what is under way fails. */
export const closeHashWorkers = async (): Promise<void> => {
  await Promise.all(pools.map((pool) => pool.close()));
};
