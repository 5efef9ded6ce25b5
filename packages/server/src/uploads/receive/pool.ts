import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { type Block, keepBlock } from "./blocks.ts";
import type { FileStep, FromReceiver, ToReceiver } from "./messages.ts";

/** Threads at most. A network delivers less than four cores hash and write. */
const most: number = Math.min(4, availableParallelism());

/** What a file hears of its thread. */
export interface ReceiverJob {
  answered(answer: FromReceiver): void;
  failed(error: Error): void;
}

/** A place at a thread, for one file. */
export interface ReceiverPlace {
  readonly id: number;
  send(message: FileStep): void;
  /** The memory of a block, if its thread has not seen it yet. */
  unseen(block: Block): Block["bytes"] | undefined;
  /** Gives the place back. */
  leave(): void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, ReceiverJob>;
  /** Numbers of the blocks that were sent to it. */
  readonly seen: Set<number>;
  /** Answers that are owed. Only a thread that owes some keeps the process alive. */
  owed: number;
}

const threads: Thread[] = [];
let lastId = 0;

/** A place at the thread with the fewest files; threads start while the ones there have some. */
export const joinPool = (job: ReceiverJob): ReceiverPlace => {
  const thread = leastBusy();
  const id = ++lastId;
  thread.jobs.set(id, job);
  return {
    id,
    send: (message) => {
      if (thread.owed++ === 0) thread.worker.ref();
      thread.worker.postMessage(message);
    },
    unseen: ({ number, bytes }) => {
      if (thread.seen.has(number)) return undefined;
      thread.seen.add(number);
      return bytes;
    },
    leave: () => {
      thread.jobs.delete(id);
    },
  };
};

/** Gives a block back. Nobody may use it afterwards. */
export const giveBlock = (block: Block): void => {
  if (keepBlock(block)) return;
  const message: ToReceiver = { kind: "forget", block: block.number };
  for (const { worker, seen } of threads) if (seen.delete(block.number)) worker.postMessage(message);
};

const leastBusy = (): Thread => {
  let found: Thread | undefined;
  for (const thread of threads) if (found === undefined || thread.jobs.size < found.jobs.size) found = thread;
  return found === undefined || (found.jobs.size > 0 && threads.length < most) ? start() : found;
};

/** Beside this file in the sources and in the built package; an executable embeds it as an entry point of its own, flat beside the main one. */
const workerUrl = (): URL =>
  new URL(import.meta.url.endsWith(".ts") ? "./receive.worker.ts" : "./receive.worker.js", import.meta.url);

const start = (): Thread => {
  // Loaded with the first thread: a registry in memory never needs one.
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  // What this process was started with is not for the worker: `--input-type` or `--eval` would make it fail.
  const worker = new Worker(workerUrl(), { execArgv: [] });
  worker.unref();
  const thread: Thread = { worker, jobs: new Map(), seen: new Set(), owed: 0 };
  const ended = (cause: unknown): void => {
    const at = threads.indexOf(thread);
    if (at >= 0) threads.splice(at, 1);
    const error = new Error("the thread that writes uploads ended early", { cause });
    for (const job of thread.jobs.values()) job.failed(error);
    thread.jobs.clear();
  };
  worker.on("message", (answer: FromReceiver) => {
    if (--thread.owed === 0) worker.unref();
    thread.jobs.get(answer.id)?.answered(answer);
  });
  worker.on("messageerror", ended);
  worker.on("error", ended);
  worker.on("exit", (code) => ended(new Error(`exit code ${code}`)));
  threads.push(thread);
  return thread;
};

/** Ends the threads that write uploads; what is open fails. They never keep a process alive, so this is for tests and for long-lived programs. */
export const closeReceiveWorkers = async (): Promise<void> => {
  const ending = threads.splice(0);
  // Its end is owed too: an answer that comes before it must not let the process go.
  for (const thread of ending) thread.owed++;
  await Promise.all(ending.map(({ worker }) => worker.terminate()));
};
