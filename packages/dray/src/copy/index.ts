/**
 * `copy`: moves what is missing from one store to another, over the graph that manifests are.
 * Imports everything below, images among it, since what is copied may have to be made first; knows no store by name, only
 * what a store can do.
 */
export * from "./copy.ts";
export type { CopyCounts, CopyOptions } from "./options.ts";
