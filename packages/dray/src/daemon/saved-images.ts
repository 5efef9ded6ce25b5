import { sniffCompression } from "../compression/index.ts";
import {
  bytesContent,
  type ComingBlob,
  type Content,
  collect,
  detach,
  passedOver,
  transferable,
  transfersChunks,
} from "../content/index.ts";
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
  const behind = new Behind();
  let room = mostKept;
  try {
    for await (const entry of readEntries(await ask(signal), { what, release: detach })) {
      throwIfAborted(signal);
      const { pax: _pax, extents: _extents, body: _body, data: _data, ...placed } = entry;
      entries.push(placed);
      if (entry.type !== "file") continue;
      const start = await started(entry);
      if (entry.size <= Math.min(room, largestManifest) && isDocument(entry.name, start.first)) {
        kept.set(entry.offset, await collect(ownChunks(start.chunks), entry.size, `${entry.name} in ${what}`));
        room -= entry.size;
        continue;
      }
      begin.set(entry.offset, new Uint8Array(start.first.subarray(0, telling)));
      if (take === undefined) continue;
      const passed = Promise.withResolvers<void>();
      const taken = take({
        ...defined<{ digest?: Digest }>({ digest: digestIn(entry.name) }),
        size: entry.size,
        compression: sniffCompression(start.first),
        what: `${what}, entry "${entry.name}"`,
        content: comingContent(entry, until(start.chunks, passed.resolve), ask, what),
      });
      await behind.add(taken, passed.promise);
    }
    await behind.all();
  } catch (error) {
    await behind.settled();
    throw error;
  }
  return savedTar(what, entries, kept, begin);
};

/** Pieces whose bytes have passed, and that are not at their place yet, at most. */
const mostBehind = 3;

/** Pieces on the last of their way: whoever has read all of one may take a while to put it there, and the next one comes meanwhile. */
class Behind {
  readonly #taken: Promise<void>[] = [];

  /** Resolves when the next one may come. */
  async add(taken: Promise<void>, passed: Promise<void>): Promise<void> {
    // Told to whoever waits for it; until then it must not count as unhandled.
    taken.catch(() => {});
    this.#taken.push(taken);
    await Promise.race([taken, passed]);
    if (this.#taken.length > mostBehind) await this.#taken.shift();
  }

  async all(): Promise<void> {
    await Promise.all(this.#taken);
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#taken);
  }
}

/** The same, and word of its end. */
async function* until(chunks: AsyncIterable<Uint8Array>, ended: () => void): AsyncGenerator<Uint8Array> {
  yield* chunks;
  ended();
}

/** Bytes that say what an entry is. */
const telling = 8;

/** The first bytes of an entry, and all of them. */
const started = async (
  entry: StreamedEntry,
): Promise<{ readonly first: Uint8Array; readonly chunks: AsyncIterable<Uint8Array> }> => {
  const source = entry.body[Symbol.asyncIterator]();
  let first: Uint8Array = new Uint8Array(0);
  // An entry may begin at the very end of a chunk.
  while (first.byteLength < telling) {
    const next = await source.next();
    if (next.done) break;
    first =
      first.byteLength === 0 && next.value.byteLength >= telling ? next.value : Buffer.concat([first, next.value]);
  }
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
    open: transfersChunks<Content["open"]>(({ offset = 0, signal } = {}) => {
      const chunks = isNow ? now : entryAgain(ask, entry, what, signal);
      isNow = false;
      return ownChunks(passedOver(offset, chunks));
    }),
  };
};

/** The same in memory that is their reader's alone: that of the stream is given back as it passes. */
async function* ownChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield transferable(new Uint8Array(chunk));
}

async function* entryAgain(
  ask: AskSave,
  { name, size }: IndexedEntry,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const entry of readEntries(await ask(signal), { what, release: detach })) {
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
