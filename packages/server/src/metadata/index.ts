/**
 * What the registry knows of its tree, in tables, and what keeps that true.
 * Imports `distribution-tree/` and `locks/`; knows no request, no cache, no garbage collection.
 */
export { createReconciler, type ReconcilerOptions } from "./reconciler.ts";
export { type MetadataOptions, openMetadata } from "./sqlite-metadata.ts";
export type { Difference, ManifestRecord, Metadata, Page, Reconciler, TagRecord } from "./types.ts";
