import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Question } from "./verification.ts";

/** Computes about passwords, elsewhere than here. */
export interface Verifier {
  /** @throws VerifierBusy where too many wait already */
  verify(question: Question): Promise<boolean>;
  close(): Promise<void>;
}

/** Nobody's fault, and over soon. */
export class VerifierBusy extends Error {}

export interface VerifierOptions {
  /** Threads at most; each works on one password at a time. Default: one less than there are processors, 1 to 4. */
  readonly threads?: number;
  /** Passwords that wait at most. Default 64. */
  readonly waiting?: number;
}

interface Job {
  readonly question: Question;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
}

/** Threads that start with the first password and keep no process alive but while they work. */
export const createVerifier = (options: VerifierOptions = {}): Verifier => {
  const { threads: most = Math.max(1, Math.min(4, availableParallelism() - 1)), waiting: longest = 64 } = options;
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  let closed = false;

  const give = (thread: Thread, job: Job): void => {
    thread.job = job;
    thread.worker.ref();
    thread.worker.postMessage(job.question);
  };

  const start = (): Thread => {
    const worker = new Worker(workerUrl(), { execArgv: [] });
    const thread: Thread = { worker, job: undefined };
    const ended = (cause: unknown): void => {
      if (!threads.delete(thread)) return;
      thread.job?.reject(new Error("the thread that verifies passwords ended early", { cause }));
      const next = waiting.shift();
      if (next !== undefined && !closed) give(start(), next);
    };
    worker.on("message", (right: boolean) => {
      thread.job?.resolve(right);
      thread.job = undefined;
      const next = waiting.shift();
      if (next !== undefined) give(thread, next);
      // One that is being ended is waited for.
      else if (threads.has(thread)) worker.unref();
    });
    worker.on("error", ended);
    worker.on("messageerror", ended);
    worker.on("exit", ended);
    threads.add(thread);
    return thread;
  };

  return {
    verify: (question) =>
      new Promise((resolve, reject) => {
        if (closed) throw new VerifierBusy("the program is stopping");
        const job: Job = { question, resolve, reject };
        const idle = threads.values().find((thread) => thread.job === undefined);
        if (idle !== undefined) give(idle, job);
        else if (threads.size < most) give(start(), job);
        else if (waiting.length < longest) waiting.push(job);
        else throw new VerifierBusy("too many passwords wait to be verified");
      }),
    close: async () => {
      closed = true;
      const stopping = new VerifierBusy("the program is stopping");
      for (const job of waiting.splice(0)) job.reject(stopping);
      const running = [...threads];
      threads.clear();
      for (const { job } of running) job?.reject(stopping);
      await Promise.all(running.map(({ worker }) => worker.terminate()));
    },
  };
};

/** Beside this file in the sources and in the built package; an executable embeds it flat beside the main one. */
const workerUrl = (): URL =>
  new URL(import.meta.url.endsWith(".ts") ? "./bcrypt.worker.ts" : "./bcrypt.worker.js", import.meta.url);
