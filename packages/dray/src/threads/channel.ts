import type { Worker } from "node:worker_threads";
import { DrayError, type ErrorCode, exitCodes, reasonOf } from "../errors.ts";
import type { Block } from "./blocks.ts";

/** An error as it travels between threads, which keep neither its class nor its code. */
interface Failure {
  readonly message: string;
  readonly code: string | undefined;
}

const failureOf = (error: unknown): Failure => ({
  message: reasonOf(error),
  code: (error as NodeJS.ErrnoException).code,
});

/** The error again, where somebody waits for it: a `DrayError` where it was one. */
const errorOf = ({ message, code }: Failure): Error => {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  if (code === undefined || !Object.hasOwn(exitCodes, code)) return error;
  return new DrayError(code as ErrorCode, message, { cause: error });
};

/**
 * The work of one job: an answer to each of its questions, which come in order. The bytes are those of the block that came along,
 * and the caller's again with the answer. What it throws is the answer, too.
 */
export type Handler<Q, A> = (question: Q, bytes: Uint8Array | undefined) => A | Promise<A>;

/** What a job hears: for each question one of the first two, in order, until the last question is answered or the third is said. */
export interface Job<A> {
  answered(answer: A): void;
  /** The handler threw. */
  refused(error: Error): void;
  /** The thread ended. */
  lost(error: Error): void;
}

interface Asked<Q> {
  readonly id: number;
  readonly question: Q;
  /** The first `length` bytes of a block come along. */
  readonly block: number;
  readonly length: number;
  /** Of a block that the thread does not know yet. */
  readonly memory: Uint8Array<SharedArrayBuffer> | undefined;
  /** It is the job's last question. */
  readonly last: boolean;
}
type ToThread<Q> = Asked<Q> | { readonly forget: number };
interface FromThread<A> {
  readonly id: number;
  readonly last: boolean;
  readonly answer?: A;
  readonly failure?: Failure;
}

/** What jobs hear whose thread is no more. */
export class ThreadEnded extends Error {}

/** Jobs and blocks as they are known where the work is done. */
const handling = <Q, A>(
  begin: () => Handler<Q, A>,
  reply: (reply: FromThread<A>) => void,
): ((message: ToThread<Q>) => void) => {
  const jobs = new Map<number, Handler<Q, A>>();
  const blocks = new Map<number, Uint8Array>();
  return (message) => {
    if ("forget" in message) {
      blocks.delete(message.forget);
      return;
    }
    const { id, block, memory, last } = message;
    if (memory !== undefined) blocks.set(block, memory);
    let job = jobs.get(id);
    if (job === undefined) jobs.set(id, (job = begin()));
    if (last) jobs.delete(id);
    const failed = (error: unknown): void => reply({ id, last, failure: failureOf(error) });
    try {
      const answer = job(message.question, blocks.get(block)?.subarray(0, message.length));
      if (answer instanceof Promise) answer.then((later) => reply({ id, last, answer: later }), failed);
      else reply({ id, last, answer });
    } catch (error) {
      failed(error);
    }
  };
};

/** The far end: what a worker's file calls, and nothing else. */
export const answerMessages = <Q, A>(begin: () => Handler<Q, A>): void => {
  const { parentPort: port } = process.getBuiltinModule("node:worker_threads");
  if (port === null) throw new Error("this is started as a worker thread, not imported");
  port.on("message", handling<Q, A>(begin, port.postMessage.bind(port)));
};

let lastId = 0;

/**
 * The near end of a thread. One that never starts, or ends before its first answer, is done without: what was asked of it is
 * handled here, later than the call and in the same order.
 */
export class Thread<Q, A> {
  readonly #jobs = new Map<number, Job<A>>();
  readonly #inPlace: () => Promise<() => Handler<Q, A>>;
  #worker: Worker | undefined;
  /** Answers that are owed. Only a thread that owes some keeps the process alive. */
  #owed = 0;
  /** Numbers of the blocks that were sent to it. */
  readonly #seen = new Set<number>();
  /** What was asked before the first answer came. */
  #asked: Asked<Q>[] | undefined = [];
  #handle: Promise<(message: ToThread<Q>) => void> | undefined;
  #isEnding = false;
  /** Nothing will be answered any more. */
  #isOver = false;
  readonly #hear = ({ id, last, answer, failure }: FromThread<A>): void => {
    this.#asked = undefined;
    this.#owed--;
    if (this.#owed === 0) this.#worker?.unref();
    const job = this.#jobs.get(id);
    if (last) this.#jobs.delete(id);
    if (failure !== undefined) job?.refused(errorOf(failure));
    else job?.answered(answer as A);
  };

  /**
   * @param start none: everything is handled here
   * @param inPlace loads what handles it here
   * @param onEnd hears when the thread has ended; `early`: before its first answer
   */
  constructor(
    start: (() => Worker) | undefined,
    inPlace: () => Promise<() => Handler<Q, A>>,
    onEnd: (early: boolean) => void,
  ) {
    this.#inPlace = inPlace;
    try {
      this.#worker = start?.();
    } catch {
      // Whatever the reason: this runtime has no threads, or not for us.
      onEnd(true);
    }
    const worker = this.#worker;
    if (worker === undefined) return;
    let cause: unknown;
    worker.unref();
    worker.on("message", this.#hear);
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("messageerror", (error) => {
      cause = error;
      void worker.terminate();
    });
    // Not before: until then it may be at work on blocks and files.
    worker.on("exit", (code) => {
      this.#worker = undefined;
      const early = this.#asked !== undefined && !this.#isEnding;
      onEnd(early);
      if (early) this.#handleAsked();
      else this.#lose(cause ?? new Error(`exit code ${code}`));
    });
  }

  /** Jobs that are not over. */
  get busy(): number {
    return this.#jobs.size;
  }

  join(job: Job<A>): number {
    const id = ++lastId;
    this.#jobs.set(id, job);
    return id;
  }

  /**
   * @param last it is the job's last question
   * @param block its first `length` bytes go along; it is the thread's until the answer comes
   */
  ask(id: number, question: Q, last: boolean, block?: Block, length: number = 0): void {
    if (this.#isOver) return;
    const number = block?.number ?? 0;
    const isNew = block !== undefined && !this.#seen.has(number);
    if (isNew) this.#seen.add(number);
    const message: Asked<Q> = { id, question, block: number, length, memory: isNew ? block.bytes : undefined, last };
    this.#asked?.push(message);
    const worker = this.#worker;
    if (worker === undefined) return this.#here(message);
    if (this.#owed++ === 0) worker.ref();
    worker.postMessage(message);
  }

  forget(block: number): void {
    if (!this.#seen.delete(block)) return;
    if (this.#worker === undefined) this.#here({ forget: block });
    else this.#worker.postMessage({ forget: block } satisfies ToThread<Q>);
  }

  /** Ends it; what is under way fails. */
  async end(): Promise<void> {
    this.#isEnding = true;
    const worker = this.#worker;
    if (worker === undefined) return this.#lose(undefined);
    // Its end is owed too: an answer that comes before it must not let the process go.
    if (this.#owed++ === 0) worker.ref();
    await worker.terminate();
  }

  #handleAsked(): void {
    const asked = this.#asked ?? [];
    this.#owed = 0;
    for (const message of asked) this.#here(message);
  }

  /** Each message in a turn of the event loop of its own. */
  #here(message: ToThread<Q>): void {
    this.#asked = undefined;
    if (!("forget" in message)) this.#owed++;
    this.#handle ??= this.#inPlace().then((begin) => handling(begin, this.#hear));
    void this.#handle.then((handle) => setImmediate(handle, message));
  }

  #lose(cause: unknown): void {
    const error = new ThreadEnded("the thread ended early", { cause });
    this.#isOver = true;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const job of jobs) job.lost(error);
  }
}
