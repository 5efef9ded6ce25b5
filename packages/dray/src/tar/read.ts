import { DrayError } from "../errors.ts";
import type { IndexedEntry, PlacedEntry } from "./entry.ts";
import { EntryReader } from "./entry-reader.ts";
import { FileSource, type ReadAt, StreamSource } from "./source.ts";

/** An entry of a stream, with its body, which can be read once and only before the next entry is asked for. */
export interface StreamedEntry extends PlacedEntry {
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ReadTarOptions {
  /** Name of the archive for messages. Default `the archive`. */
  readonly what?: string;
}

/**
 * The entries of a tar that comes as a stream. Bodies that are not read are passed over; memory does not grow with the
 * archive. Ending the iteration early lets go of the stream.
 * @throws DrayError `ARCHIVE_INVALID` naming the archive and the entry, `UNSUPPORTED` for sparse entries
 * @example for await (const entry of readEntries(chunks)) if (entry.name === "manifest.json") return collect(entry.body, …);
 */
export async function* readEntries(
  chunks: AsyncIterable<Uint8Array>,
  { what = "the archive" }: ReadTarOptions = {},
): AsyncGenerator<StreamedEntry> {
  const source = new StreamSource(chunks);
  const reader = new EntryReader(source, what);
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next())
      yield { ...entry, body: bodyOf(source, entry, what) };
  } finally {
    await source.close();
  }
}

async function* bodyOf(
  source: StreamSource,
  { name, offset, size }: PlacedEntry,
  what: string,
): AsyncGenerator<Uint8Array> {
  const end = offset + size;
  if (source.position !== offset)
    throw new DrayError("USAGE", `the body of entry "${name}" can be read once, in its turn`);
  while (source.position < end) {
    const part = await source.some(end - source.position);
    if (part.byteLength === 0)
      throw new DrayError(
        "ARCHIVE_INVALID",
        `${what} is truncated: it ends ${end - source.position} bytes before the end of entry "${name}"`,
      );
    yield part;
  }
}

/** Entries that an index in memory holds at most: some tens of megabytes. */
const mostEntries = 200_000;

/**
 * The entries of a tar in a file of `size` bytes, one after the other, with the offsets of their bodies, which are not read.
 * @throws DrayError `ARCHIVE_INVALID` naming the archive and the entry, `UNSUPPORTED`
 */
export async function* placedEntries(
  readAt: ReadAt,
  size: number,
  { what = "the archive" }: ReadTarOptions = {},
): AsyncGenerator<IndexedEntry> {
  const reader = new EntryReader(new FileSource(readAt, size), what);
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const { pax: _pax, ...placed } = entry;
    yield placed;
  }
}

/**
 * All of `placedEntries`, to find bodies by.
 * @throws DrayError as that, and `LIMIT_EXCEEDED`
 */
export const indexTar = async (
  readAt: ReadAt,
  size: number,
  { what = "the archive", limit = mostEntries }: ReadTarOptions & { readonly limit?: number } = {},
): Promise<IndexedEntry[]> => {
  const entries: IndexedEntry[] = [];
  for await (const entry of placedEntries(readAt, size, { what }))
    if (entries.push(entry) > limit) throw new DrayError("LIMIT_EXCEEDED", `${what} has more than ${limit} entries`);
  return entries;
};
