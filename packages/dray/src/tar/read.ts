import { DrayError } from "../errors.ts";
import type { IndexedEntry, PlacedEntry } from "./entry.ts";
import { EntryReader } from "./entry-reader.ts";
import { FileSource, type ReadAt, StreamSource } from "./source.ts";
import { withHoles } from "./sparse.ts";

/** An entry of a stream, with its body, which can be read once and only before the next entry is asked for. */
export interface StreamedEntry extends PlacedEntry {
  readonly body: AsyncIterable<Uint8Array>;
  /** The same without the holes of a sparse file: its `extents`, one after the other. One of the two can be read. */
  readonly data: AsyncIterable<Uint8Array>;
}

export interface ReadTarOptions {
  /** Name of the archive for messages. Default `the archive`. */
  readonly what?: string;
}

export interface ReadStreamOptions extends ReadTarOptions {
  /** Gets each chunk of the stream that was passed. A part of a body is gone then, as soon as the next one is asked for. Default: nobody does. */
  readonly release?: (chunk: Uint8Array) => void;
}

/**
 * The entries of a tar that comes as a stream. Bodies that are not read are passed over; memory does not grow with the
 * archive. Ending the iteration early lets go of the stream; going to its end reads what follows the archive, too.
 * @throws DrayError `ARCHIVE_INVALID` naming the archive and the entry
 * @example for await (const entry of readEntries(chunks)) if (entry.name === "manifest.json") return collect(entry.body, …);
 */
export async function* readEntries(
  chunks: AsyncIterable<Uint8Array>,
  { what = "the archive", release }: ReadStreamOptions = {},
): AsyncGenerator<StreamedEntry> {
  const source = new StreamSource(chunks, release);
  const reader = new EntryReader(source, what);
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next())
      yield streamed(source, entry, what);
    // Whoever compares the digest of the stream has to see all of it.
    await source.skip(Number.POSITIVE_INFINITY);
  } finally {
    await source.close();
  }
}

const streamed = (source: StreamSource, entry: PlacedEntry, what: string): StreamedEntry => {
  const data = bodyOf(source, entry, what);
  const { extents, size } = entry;
  return Object.assign(entry, { data, body: extents === undefined ? data : withHoles(data, size, extents) });
};

async function* bodyOf(
  source: StreamSource,
  { name, offset, stored }: PlacedEntry,
  what: string,
): AsyncGenerator<Uint8Array> {
  const end = offset + stored;
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
    const { pax: _pax, extents, ...placed } = entry;
    if (extents !== undefined)
      throw new DrayError(
        "UNSUPPORTED",
        `${what}: entry "${entry.name}" is a sparse file, which is not supported here; make the archive without sparse files`,
      );
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
