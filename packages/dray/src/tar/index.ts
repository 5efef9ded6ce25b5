/**
 * The codec of tar archives: headers, numbers, pax records, paths; entries of a stream; an index of entries by offset.
 * Imports the errors alone; knows no file, no image and no store.
 */
export { endOfArchive, type PlacedEntry, padded, padding, type TarEntry } from "./entry.ts";
export { EntryReader } from "./entry-reader.ts";
export { entryPath, linkPath } from "./path.ts";
export { indexTar, readEntries } from "./read.ts";
export { FileSource, type ReadAt } from "./source.ts";
export { headerSize, type NewEntry, writeHeader } from "./write.ts";
