/** Memory with a bound, and loads that a write makes stale. Knows nothing of what is kept. */
export { LruCache } from "./bounded.ts";
export { SingleFlight } from "./fills.ts";
