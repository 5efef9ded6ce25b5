/** Memory with a bound, and loads that a write makes stale. Knows nothing of what is kept. */
export { LruCache } from "./lru-cache.ts";
export { SingleFlight } from "./single-flight.ts";
