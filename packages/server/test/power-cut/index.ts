/**
 * For tests: a file system that tells what a power cut at any moment may leave, and chances from a seed to choose by.
 * Imports `dray/files`; knows no driver and no tree.
 */
export type { Cut, Leavings } from "./power-cut.ts";
export { type Recording, recordFiles } from "./recording-files.ts";
