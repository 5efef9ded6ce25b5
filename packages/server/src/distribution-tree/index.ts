/**
 * The tree that the CNCF distribution keeps, over a driver: where everything lies, and what a stored manifest says.
 * Imports `storage/`'s interface; knows no cache, no metadata, no request.
 */
export { type Child, type Described, type Inspection, inspect, typeInside } from "./inspection.ts";
export { inspectManifest, shownType } from "./inspector.ts";
export * from "./paths.ts";
export * as treePaths from "./paths.ts";
export { readLegacyManifest, readManifest, type StoredManifest } from "./read-manifest.ts";
export { Tree } from "./tree.ts";
export { type RepositoryFolder, type WalkOptions, walk } from "./walk.ts";
