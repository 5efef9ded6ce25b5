/**
 * Loaded before a program (`--import`): counts in each of its threads how often each function is entered, and how often JSON is
 * parsed. The main thread answers messages of the parent process; its workers answer the main thread.
 */
import { Session } from "node:inspector";
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";

/** A function and how often it was entered since the last question. */
export interface Entered {
  readonly url: string;
  readonly name: string;
  readonly start: number;
  readonly count: number;
}

export interface Taken {
  readonly functions: readonly Entered[];
  readonly parses: number;
}

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
    }[];
  }[];
}

const session = new Session();
session.connect();
/** Answers of the thread's own inspector come before `post` returns. */
const post = <T>(method: string, parameters: object = {}): T => {
  let answer: unknown;
  session.post(method, parameters, (error, result) => {
    if (error) throw error;
    answer = result;
  });
  return answer as T;
};
post("Profiler.enable");
post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });

let parses = 0;
const { parse } = JSON;
JSON.parse = (...parameters) => {
  parses += 1;
  return parse(...parameters);
};

/** What ran since the last call, in this thread. The body of a module begins where its text does, and is no function. */
const take = (): Taken => {
  const { result } = post<Coverage>("Profiler.takePreciseCoverage");
  const functions = result.flatMap(({ url, functions }) =>
    functions.flatMap(({ functionName: name, ranges: [range] }) =>
      range === undefined || range.count === 0 || (name === "" && range.startOffset === 0)
        ? []
        : [{ url, name, start: range.startOffset, count: range.count }],
    ),
  );
  const taken = { functions, parses };
  parses = 0;
  return taken;
};

/** Longer than an idle thread needs to answer; one that has ended never does. */
const patience = 2000;

const channel = new BroadcastChannel("functions");
channel.unref();
if (isMainThread) {
  const threads = new Set<number>();
  let heard: (thread: number, taken: Taken) => void = () => {};
  channel.onmessage = ({ data }: { data: { thread: number; taken?: Taken } }) => {
    threads.add(data.thread);
    if (data.taken !== undefined) heard(data.thread, data.taken);
  };
  const takeAll = (): Promise<Taken[]> => {
    const all = [take()];
    const waiting = new Set(threads);
    if (waiting.size === 0) return Promise.resolve(all);
    const { promise, resolve } = Promise.withResolvers<Taken[]>();
    const timer = setTimeout(() => {
      for (const thread of waiting) threads.delete(thread);
      resolve(all);
    }, patience);
    heard = (thread, taken) => {
      all.push(taken);
      waiting.delete(thread);
      if (waiting.size > 0) return;
      clearTimeout(timer);
      resolve(all);
    };
    channel.postMessage("take");
    return promise;
  };
  process.on("message", (message) => {
    if (message === "take") void takeAll().then((taken) => process.send?.({ taken }));
  });
} else {
  channel.onmessage = () => channel.postMessage({ thread: threadId, taken: take() });
  channel.postMessage({ thread: threadId });
}
