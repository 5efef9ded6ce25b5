/**
 * The tree that an image's layers make together: as entries and as one tar, where all of it is wanted; file by file, read as far as is asked,
 * where not. One set of rules says what a layer's entry means, whoever asks.
 * Imports views and what lies below them; knows no directory of this machine, no command.
 */
export { grown } from "./columns.ts";
export { exportTar, squashTar, tarOf } from "./export-tar.ts";
export type { LinkFacts } from "./hard-links.ts";
export {
  type FileEntry,
  type ImageFiles,
  type ImageFilesOptions,
  imageFiles,
  list,
  type ReadFileOptions,
  readFile,
  walk,
} from "./image-files.ts";
export { copies } from "./layer-files.ts";
export { LayeredTree, type Visit } from "./layered-tree.ts";
export { fileRemoved, fileWritten, type WriteFileOptions } from "./one-file.ts";
export { type Node, rootNode } from "./path-table.ts";
export { type LentOptions, lentEntries, type TreeEntry, type TreeOptions, treeEntries } from "./tree-entries.ts";
