/**
 * In what two images differ: what they say of themselves, their packages and their files.
 * Imports the files of images and what they stand on; knows no place on a disk.
 */
export { type DiffOptions, diff, type ImageDiff, type LayerApart } from "./diff.ts";
export type { SaidChange } from "./documents.ts";
export type { FileAspect, FileChange } from "./files-changed.ts";
export type { PackageChange, PackagesChanged } from "./packages-changed.ts";
