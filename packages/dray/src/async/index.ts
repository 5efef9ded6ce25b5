/**
 * Concurrency in the field's words: mutual exclusion, single flight, caches with a bound, work side by side, waits that a signal ends.
 * Imports only the errors; knows no content, no file, no network.
 */
export { forEachConcurrent } from "./for-each-concurrent.ts";
export { KeyedMutex } from "./keyed-mutex.ts";
export { KeyedRwLock } from "./keyed-rw-lock.ts";
export { Lazy, LazyMap } from "./lazy.ts";
export { LruCache, type LruCacheOptions } from "./lru-cache.ts";
export { mapOrdered } from "./map-ordered.ts";
export { Mutex } from "./mutex.ts";
export { Semaphore } from "./semaphore.ts";
export { type Flight, SingleFlight } from "./single-flight.ts";
export { sortedInTurns } from "./sorted-in-turns.ts";
export { teed } from "./teed.ts";
export { unlessAborted } from "./unless-aborted.ts";
export { Yielding, type YieldingOptions } from "./yielding.ts";
