/** Folders for tests, and a file system that fails where a test says so. Imports the edge of `dray/files`; knows no store. */
export { type EachFailure, type FileCall, failEachCall, faultyFiles } from "./faulty-files.ts";
export { temporaryFolder } from "./temporary-folder.ts";
