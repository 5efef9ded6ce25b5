/**
 * What the registry knows of its tree, in tables, and what keeps that true.
 * Imports `tree/` and `holds/`; knows no request, no cache, no garbage collection.
 */
export { createReconciler, type ReconcilerOptions } from "./reconciler.ts";
export { type IndexOptions, openIndex } from "./sqlite-index.ts";
export type { Difference, Index, IndexedManifest, IndexedTag, Page, Reconciler } from "./types.ts";
