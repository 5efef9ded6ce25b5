/**
 * The edge to the file system, and what is built on it alone: errors with a remedy, replacing a file at once, locks between
 * processes, and receiving content into a file in a way that a later attempt can go on with.
 * Imports `oci/`, `hash/` and `content/`; knows no registry, no layout, no archive.
 */

export { isAbsent } from "./absent.ts";
export { type AppendFile, type AppendFileOptions, type AppendTarget, appendFile } from "./append-file/index.ts";
export { type AtomicOptions, syncDirectory, writeFileAtomic } from "./atomic.ts";
export { chunksToFile } from "./chunks-to-file.ts";
export { diskError, errnoBehind, errnoOf, ifPossible, ifThere, onDisk } from "./disk-error.ts";
export { chunksOfFile, type FileRange, fileChunks, fileContent, readFully, writeFully } from "./file-chunks.ts";
export { type FileFacts, type FileSystem, nodeFiles, type OpenFile, type SpaceFacts } from "./file-system.ts";
export { type Lock, lock } from "./lock.ts";
export { makeDirectory } from "./make-directory.ts";
export { openPart } from "./open-part.ts";
export { isAlive, type ProcessIdentity, thisProcess } from "./process-identity.ts";
export { type Landing, type ReceiveOptions, receive } from "./receive.ts";
export { receiveInto } from "./receive-into.ts";
export { receiveUnknown } from "./receive-unknown.ts";
