import { peeked } from "../compression/index.ts";
import { bytesContent, type ComingBlob, collect, passedOver } from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError, throwIfAborted } from "../errors.ts";
import { type Digest, isDigest, largestManifest } from "../oci/index.ts";
import { type IndexedEntry, readEntries, type StreamedEntry } from "../tar/index.ts";
import type { TarFile } from "../tarball/index.ts";

/** Bytes of documents of one save that are kept in memory, at most. */
const mostKept = 64 * 1024 * 1024;

/** A layer of a save in its turn. */
export type Coming = Omit<ComingBlob, "composed">;

/** A save, asked for from its beginning. */
export type AskSave = (signal: AbortSignal | undefined) => Promise<AsyncIterable<Uint8Array>>;

/**
 * Reads a save as it comes: each layer goes to `take` in its turn, documents are kept. Layers that nobody wants any more are passed over.
 * @returns the tar as if it lay somewhere: its index, the documents, and of layers how they begin
 * @throws DrayError `ARCHIVE_INVALID`, and what asking, reading and taking throw
 */
export const readSave = async (
  ask: AskSave,
  {
    what,
    signal,
    take,
  }: {
    readonly what: string;
    readonly signal: AbortSignal | undefined;
    readonly take?: ((blob: Coming) => Promise<void>) | undefined;
  },
): Promise<TarFile> => {
  const entries: IndexedEntry[] = [];
  const kept = new Map<number, Uint8Array>();
  const begin = new Map<number, Uint8Array>();
  let room = mostKept;
  for await (const entry of readEntries(await ask(signal), { what })) {
    throwIfAborted(signal);
    const { pax: _pax, extents: _extents, body: _body, data: _data, ...placed } = entry;
    entries.push(placed);
    if (entry.type !== "file") continue;
    const start = await started(entry);
    if (entry.size <= Math.min(room, largestManifest) && isDocument(entry.name, start.first)) {
      kept.set(entry.offset, await collect(start.chunks, entry.size, `${entry.name} in ${what}`));
      room -= entry.size;
      continue;
    }
    begin.set(entry.offset, start.first.slice(0, 8));
    const { compression, whole } = await peeked(start.chunks);
    await take?.({
      ...defined<{ digest?: Digest }>({ digest: digestIn(entry.name) }),
      size: entry.size,
      compression,
      what: `${what}, entry "${entry.name}"`,
      content: comingContent(entry, whole, ask, what),
    });
  }
  return savedTar(what, entries, kept, begin);
};

/** The first bytes of an entry, and all of them. */
const started = async (
  entry: StreamedEntry,
): Promise<{ readonly first: Uint8Array; readonly chunks: AsyncIterable<Uint8Array> }> => {
  const source = entry.body[Symbol.asyncIterator]();
  const next = await source.next();
  const first = next.done ? new Uint8Array(0) : next.value;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    if (first.byteLength > 0) yield first;
    for (let more = await source.next(); !more.done; more = await source.next()) yield more.value;
  }
  return { first, chunks: chunks() };
};

/** Documents are JSON, and the notes beside old layers. Blobs do not say what they are: one that begins as JSON is kept as well. */
const isDocument = (name: string, start: Uint8Array): boolean =>
  /(?:^|\/)(?:json|VERSION|repositories|oci-layout|[^/]*\.json)$/.test(name) ||
  (/^(?:\.\/)?blobs\//.test(name) && (start[0] === 0x7b || start.byteLength === 0));

/** The digest in a name that is one by the rules of a layout. */
const digestIn = (name: string): Digest | undefined => {
  const [, algorithm, hex] = /^(?:\.\/)?blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
};

/** The bytes of one entry: those that come now, once; after that from another save, as far as they were before. */
const comingContent = (
  entry: StreamedEntry,
  now: AsyncIterable<Uint8Array>,
  ask: AskSave,
  what: string,
): ComingBlob["content"] => {
  let isNow = true;
  return {
    size: entry.size,
    open: ({ offset = 0, signal } = {}) => {
      if (!isNow) return passedOver(offset, entryAgain(ask, entry, what, signal));
      isNow = false;
      return passedOver(offset, now);
    },
  };
};

async function* entryAgain(
  ask: AskSave,
  { name, size }: IndexedEntry,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const entry of readEntries(await ask(signal), { what })) {
    if (entry.name !== name) continue;
    if (entry.size !== size) break;
    yield* entry.body;
    return;
  }
  throw new DrayError("ARCHIVE_INVALID", `${what}: "${name}" is not what it was when it came first; try again`);
}

const savedTar = (
  what: string,
  entries: readonly IndexedEntry[],
  kept: ReadonlyMap<number, Uint8Array>,
  begin: ReadonlyMap<number, Uint8Array>,
): TarFile => ({
  what,
  path: what,
  entries,
  read: async function* (entry, { offset = 0, length = entry.size } = {}) {
    const all = kept.get(entry.offset) ?? begin.get(entry.offset);
    const end = Math.min(entry.size, offset + length);
    if (all === undefined || end > all.byteLength)
      throw new DrayError(
        "CONSUMED",
        `${what}: the bytes of "${entry.name}" have passed; they come again only with all before them`,
      );
    yield* bytesContent(all.subarray(offset, end)).open();
  },
  close: async () => {},
});
