/**
 * Where bytes are cached by key: in the file of a watch, in memcached as flux does, in Redis. Imports `file/`, `memcached/` and the library; knows
 * nothing of what the bytes say.
 */
export { type MemcachedCacheOptions, memcachedCache } from "./memcached-cache.ts";
export { type RedisCache, type RedisCacheOptions, redisCache } from "./redis-cache.ts";
export { cacheTables, sqliteCache } from "./sqlite-cache.ts";
