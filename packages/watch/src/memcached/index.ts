/**
 * A client of memcached: thirteen verbs, servers by DNS or by address, plain or telling of each call. Imports `durations.ts` and the
 * library; knows nothing of what is kept there.
 */
export { memcacheClient } from "./client.ts";
export type { MemcacheOptions } from "./connected-servers.ts";
export type { SrvResolver } from "./discovery.ts";
export { instrumentedMemcacheClient, type MemcacheCall, memcacheDurations } from "./instrumented.ts";
export type { Item, StoredItem } from "./item.ts";
export type { MemcacheClient } from "./memcache-client.ts";
