/**
 * Garbage collection of a registry that is in use. Imports `distribution-tree/`, `leases/`,
 * `metadata/`, `uploads/` and `deletion/`; knows no request.
 */
export { type Collector, type CollectorOptions, createCollector, type Retention } from "./collector.ts";
export { DigestSet } from "./digest-set.ts";
export type { Collected, CollectOptions, CollectorState, Decision, Marks } from "./types.ts";
