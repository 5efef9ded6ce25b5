/**
 * The tree of an image in a directory of this machine, by Node's file system or by GNU tar.
 * Imports the merged tree and the edge to the file system; knows no command.
 */
export { type Extracted, type ExtractOptions, extract, type LeftOut } from "./extract.ts";
export { extractByTar } from "./extract-by-tar.ts";
export type { ExtractLimits } from "./limits.ts";
