import type { Cancel } from "dray/content";
import type { Item, StoredItem } from "./item.ts";

/**
 * The thirteen verbs of a memcached client. What is not there, or does not fit what was asked, is an answer; a server that is not reached, is too slow
 * or refuses is a `DrayError`: `NETWORK`, `TIMEOUT`, `CACHE`, `LIMIT_EXCEEDED` for a value above the server's limit or a key above 250 bytes, `USAGE`
 * for a key with blanks or control characters. Each verb ends with `ABORTED` when its signal does.
 */
export interface MemcacheClient {
  /** Stores what is not there yet. `false`: it is. */
  add(item: Item, options?: Cancel): Promise<boolean>;
  /** Stores over exactly what was read before. `changed`: something else lies there now; `gone`: nothing does. */
  compareAndSwap(item: Item & Pick<StoredItem, "cas">, options?: Cancel): Promise<"stored" | "changed" | "gone">;
  /** The number under a key, less `delta`, and never below 0; `undefined` where there is none. */
  decrement(key: string, delta: number | bigint, options?: Cancel): Promise<bigint | undefined>;
  /** `false`: it was not there. */
  delete(key: string, options?: Cancel): Promise<boolean>;
  /** Deletes everything on every server. The same as `flushAll`. */
  deleteAll(options?: Cancel): Promise<void>;
  /** Deletes everything on every server. */
  flushAll(options?: Cancel): Promise<void>;
  get(key: string, options?: Cancel): Promise<StoredItem | undefined>;
  /** What is there of several keys, each server asked once. */
  getMulti(keys: Iterable<string>, options?: Cancel): Promise<ReadonlyMap<string, StoredItem>>;
  /** The number under a key, with `delta` more, in 64 bits that wrap around; `undefined` where there is none. */
  increment(key: string, delta: number | bigint, options?: Cancel): Promise<bigint | undefined>;
  /** Stores over what is there. `false`: nothing is. */
  replace(item: Item, options?: Cancel): Promise<boolean>;
  set(item: Item, options?: Cancel): Promise<void>;
  /** Gives a key another time of expiration, as that of an item. `false`: it is not there. */
  touch(key: string, expiration: number, options?: Cancel): Promise<boolean>;
  /** Ends the search for servers, and closes what is open; what is still asked fails. */
  stop(): void;
}
