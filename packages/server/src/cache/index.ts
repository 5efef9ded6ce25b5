/** Memory with a bound, and loads that a write makes stale. Knows nothing of what is kept. */
export { Bounded } from "./bounded.ts";
export { Fills } from "./fills.ts";
