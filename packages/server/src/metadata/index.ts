/**
 * What the registry knows of its tree, in tables, and what keeps that true.
 * Imports `distribution-tree/`; knows no request, no cache, no garbage collection.
 */
export type { MetadataOptions } from "./index-database.ts";
export { Metadata } from "./metadata.ts";
export { pages } from "./pages.ts";
export { Reconciler, type ReconcilerOptions } from "./reconciler.ts";
export type { Difference, ManifestRecord, Page, Referrer, TagRecord } from "./records.ts";
export { indexFormat } from "./schema.ts";
