/**
 * The codec of tar archives: headers, numbers, pax records, paths; entries of a stream; an index of entries by offset.
 * Imports the errors alone; knows no file, no image and no store.
 */
export { endOfArchive, type IndexedEntry, padded, padding, type TarEntry } from "./entry.ts";
export { beginsTar } from "./entry-reader.ts";
export { entryPath, linkPath } from "./path.ts";
export { indexTar, placedEntries, readEntries, type StreamedEntry } from "./read.ts";
export { type ReadAt, StreamSource } from "./source.ts";
export { withHoles } from "./sparse.ts";
export { decodeText, encodeText, isWellFormed } from "./text.ts";
export { headerSize, type NewEntry, wholeEntry, writeHeader } from "./write.ts";
