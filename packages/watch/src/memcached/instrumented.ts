import { Durations } from "../durations.ts";
import type { MemcacheClient } from "./memcache-client.ts";

/** One call of a verb, when it has ended. */
export interface MemcacheCall {
  /** As flux calls it: `Get`, `GetMulti`, `CompareAndSwap`. */
  readonly method: string;
  /** Whether it did what was asked. What was not there, or was not stored, is no success, as with flux. */
  readonly success: boolean;
  readonly seconds: number;
}

/**
 * A client that tells of each call. `stop` is none.
 * @example
 * const durations = memcacheDurations();
 * const client = instrumentedMemcacheClient(memcacheClient({ host: "127.0.0.1" }), ({ method, success, seconds }) =>
 *   durations.observe({ method }, success, seconds),
 * );
 */
export const instrumentedMemcacheClient = (
  client: MemcacheClient,
  observe: (call: MemcacheCall) => void,
): MemcacheClient => {
  const timed = async <T>(method: string, work: Promise<T>): Promise<T> => {
    const start = performance.now();
    let success = false;
    try {
      const result = await work;
      success = !failures.has(result);
      return result;
    } finally {
      observe({ method, success, seconds: (performance.now() - start) / 1000 });
    }
  };
  const done = (work: Promise<void>): Promise<true> => work.then(() => true);
  return {
    add: (...args) => timed("Add", client.add(...args)),
    compareAndSwap: (...args) => timed("CompareAndSwap", client.compareAndSwap(...args)),
    decrement: (...args) => timed("Decrement", client.decrement(...args)),
    delete: (...args) => timed("Delete", client.delete(...args)),
    deleteAll: async (...args) => void (await timed("DeleteAll", done(client.deleteAll(...args)))),
    flushAll: async (...args) => void (await timed("FlushAll", done(client.flushAll(...args)))),
    get: (...args) => timed("Get", client.get(...args)),
    getMulti: (...args) => timed("GetMulti", client.getMulti(...args)),
    increment: (...args) => timed("Increment", client.increment(...args)),
    replace: (...args) => timed("Replace", client.replace(...args)),
    set: async (...args) => void (await timed("Set", done(client.set(...args)))),
    touch: (...args) => timed("Touch", client.touch(...args)),
    stop: () => client.stop(),
  };
};

/** What verbs answer where flux's client had an error. */
const failures: ReadonlySet<unknown> = new Set([undefined, false, "changed", "gone"]);

/**
 * How long calls took, by method and success, under flux's name: `flux_memcache_request_duration_seconds`.
 * @example page.add([memcacheDurations().family()]);
 */
export const memcacheDurations = (): Durations =>
  new Durations("flux_memcache_request_duration_seconds", "Duration of memcache requests, in seconds.");
