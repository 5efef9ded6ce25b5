/**
 * Tar archives: headers, entries of a stream, entries of a file with their places, and headers to write.
 * Imports the errors; knows no image, no store and no file system.
 */
export { type EntryType, endOfArchive, padded, padding, type PlacedEntry, type TarEntry } from "./entry.ts";
export { entryPath, linkPath } from "./path.ts";
export { indexTar, readEntries, type ReadTarOptions, type StreamedEntry } from "./read.ts";
export type { ReadAt } from "./source.ts";
export { headerSize, type NewEntry, writeHeader } from "./write.ts";
