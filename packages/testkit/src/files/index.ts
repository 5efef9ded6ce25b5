/**
 * Folders and bytes for tests, and a file system that fails where a test says so: what a test of the lowest floors can load in no time.
 * Imports the edge of `dray/files`; knows no store.
 */
export { type EachFailure, type FileCall, failEachCall, faultyFiles } from "./faulty-files.ts";
export { seededBytes } from "./seeded-bytes.ts";
export { temporaryFolder } from "./temporary-folder.ts";
