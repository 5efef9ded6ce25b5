/**
 * Tar archives: headers, entries of a stream, entries of a file with their places; a tar that lies in a file, read without
 * unpacking; a tar that is being made, by position or as a stream.
 * Imports everything up to `files/`; knows no image and no store.
 */
export { endOfArchive, type PlacedEntry, padding, type TarEntry } from "./entry.ts";
export { Members } from "./members.ts";
export { type OpenSinkOptions, openSink, outletOf } from "./open-sink.ts";
export type { Outlet } from "./outgoing.ts";
export { TarPart } from "./part.ts";
export { entryPath, linkPath } from "./path.ts";
export { indexTar, readEntries } from "./read.ts";
export type { LastEntry, NamedContent, TarSink } from "./sink.ts";
export type { ReadAt } from "./source.ts";
export { type OpenTarOptions, openTar, type TarFile } from "./tar-file.ts";
export { headerSize, type NewEntry, writeHeader } from "./write.ts";
