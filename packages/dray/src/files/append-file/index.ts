/**
 * The one way of bytes to the disk: files that grow at their end and are hashed as they grow.
 * Imports `oci/`, `hash/` and the errors of `files/`; knows nothing of where content comes from nor of what it is for.
 */
export { type AppendFile, type AppendFileOptions, appendFile } from "./append-file.ts";
export type { AppendTarget } from "./in-place.ts";
