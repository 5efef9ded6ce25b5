/**
 * The tree that an image's layers make together: as entries, as one tar.
 * Imports views and what lies below them; knows no directory of this machine, no command.
 */
export { exportTar, squashTar, tarOf } from "./export-tar.ts";
export { type LentOptions, lentEntries, type TreeEntry, type TreeOptions, treeEntries } from "./tree-entries.ts";
