import { endOfArchive, padding, readEntries, writeHeader } from "../../tar/index.ts";

/** The same tar with one time for everything, in seconds since 1970. Its headers are written anew, in one form. */
export async function* timedTar(chunks: AsyncIterable<Uint8Array>, mtime: number): AsyncGenerator<Uint8Array> {
  for await (const { data, type, ...entry } of readEntries(chunks)) {
    // Other times than that of the last change are records, which not every tool writes.
    const { atime: _atime, ctime: _ctime, "LIBARCHIVE.creationtime": _created, ...pax } = entry.pax;
    yield writeHeader({ ...entry, type: type === "other" ? "file" : type, mtime, pax });
    yield* data;
    yield padding(entry.stored);
  }
  yield endOfArchive();
}
