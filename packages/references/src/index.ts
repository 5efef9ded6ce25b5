/**
 * References of images in files: what stands where, in bytes, and the same files with other references. Stands on `dray` alone; opens no file.
 */
export { type FindReferencesOptions, fileKinds, findReferences } from "./find-references.ts";
export type { FileKind, FileReferences, FoundReference, PlaceKind, WrittenPart } from "./found.ts";
export { replaceReferences } from "./replace-references.ts";
export type { Variable } from "./variables/index.ts";
