import { join } from "node:path";
import type { Writable } from "node:stream";
import { unlessAborted } from "../async/index.ts";
import { decompressed, sniffCompression } from "../compression/index.ts";
import type { Cancel } from "../content/index.ts";
import { DrayError, errorIn, isDrayError, throwIfAborted } from "../errors.ts";
import {
  chunksOfFile,
  diskError,
  errnoOf,
  type FileFacts,
  type FileRange,
  type FileSystem,
  fileChunks,
  type OpenFile,
  onDisk,
  readFully,
} from "../files/index.ts";
import { type IndexedEntry, indexTar } from "../tar/index.ts";
import { type Spool, spool } from "./spool.ts";

/** A tar that lies in a file: an index of its entries, and their bodies where they lie. Nothing is unpacked. */
export interface TarFile {
  /** Its name for messages. */
  readonly what: string;
  /** How a location names it: its path, or `-`. */
  readonly path: string;
  readonly entries: readonly IndexedEntry[];
  /** The body of an entry, in pieces of up to 256 KiB. */
  read(entry: IndexedEntry, options?: ReadBodyOptions): AsyncGenerator<Uint8Array>;
  /** Lets go of a temporary file, where there is one. */
  close(): Promise<void>;
}

export interface ReadBodyOptions extends Cancel {
  /** First byte to read. */
  readonly offset?: number;
  /** Bytes to read at most. Default: all. */
  readonly length?: number;
}

/** What a tar is opened with, to be read or to be written. */
export interface OpenTarOptions extends Cancel {
  readonly fs: FileSystem;
  /** What `-` is read from. Default: standard input. */
  readonly input?: AsyncIterable<Uint8Array> | undefined;
  /** What `-` is written to. Default: standard output. */
  readonly output?: Writable | undefined;
}

/** The location that stands for standard input and output. */
export const standardStream = "-";

/**
 * Opens a tar by its path, or `-` for a stream. A plain tar in a file is read in place. One that is compressed as a whole
 * (gzip, zstd) or comes through a pipe is written once, decompressed, to a temporary file: of a compressed stream nothing
 * can be read without all before it, and layers are read side by side. Memory is bounded either way.
 * @throws DrayError `NOT_FOUND`, `LOCATION_INVALID`, `ARCHIVE_INVALID`, `UNSUPPORTED`, `DISK`
 */
export const openTar = async (path: string, { fs, input, signal }: OpenTarOptions): Promise<TarFile> => {
  if (path === standardStream)
    return spooledTar(fs, input ?? (process.stdin as AsyncIterable<Buffer>), { path, what: "standard input" }, signal);
  const facts = await factsOf(fs, path);
  if (facts.isDirectory()) {
    const isUnpacked = await fs.stat(join(path, "manifest.json")).then(
      () => true,
      () => false,
    );
    const remedy = isUnpacked
      ? `it holds an archive that was unpacked: pack it again, tar -C ${path} -cf FILE .`
      : `an OCI layout is read as oci:${path}`;
    throw new DrayError("LOCATION_INVALID", `${path} is a directory, not an archive; ${remedy}`);
  }
  const plain = facts.isFile() ? await plainTar(fs, path) : undefined;
  return plain ?? spooledTar(fs, wholeFile(fs, path, signal), { path, what: path }, signal);
};

const factsOf = async (fs: FileSystem, path: string): Promise<FileFacts> => {
  try {
    return await fs.stat(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR")
      throw new DrayError("NOT_FOUND", `there is no file ${path}`, { reference: path, cause: error });
    throw diskError(error, "read", path);
  }
};

/** A tar that is not compressed as a whole; nothing where it is. */
const plainTar = async (fs: FileSystem, path: string): Promise<TarFile | undefined> => {
  const file = await onDisk("read", path, () => fs.open(path, "r"));
  try {
    const start = await onDisk("read", path, () => readFully(file, 0, 8));
    refuseForeign(start, path);
    if (sniffCompression(start) !== "none") return undefined;
    const { size, mtimeMs } = await onDisk("read", path, () => file.stat());
    const rangeIn = async (opened: OpenFile, range: FileRange): Promise<FileRange> => {
      const now = await opened.stat();
      if (now.size === size && now.mtimeMs === mtimeMs) return range;
      throw new DrayError("ARCHIVE_INVALID", `${path} was changed while it was read; start again`);
    };
    return await indexed({ path, what: path }, path, { file, size }, (range) =>
      chunksOfFile(fs, path, (opened) => rangeIn(opened, range)),
    );
  } finally {
    await onDisk("read", path, () => file.close());
  }
};

/** What a tar is called in messages and in locations. */
type TarNames = Pick<TarFile, "what" | "path">;

/** A tar that comes as a stream, kept in a temporary file, decompressed where it is compressed as a whole. */
export const spooledTar = async (
  fs: FileSystem,
  chunks: AsyncIterable<Uint8Array>,
  names: TarNames,
  signal: AbortSignal | undefined,
): Promise<TarFile> => {
  const { what } = names;
  const kept = await spool(fs, decompressed(cancellable(chunks, signal))).catch((error: unknown) => {
    throw isDrayError(error, "MANIFEST_INVALID") ? errorIn(what, error, { code: "ARCHIVE_INVALID" }) : error;
  });
  try {
    const tar = await indexed(names, "the temporary file", kept, (range) => fileChunks(kept.file, what, range));
    return { ...tar, close: () => kept.close() };
  } catch (error) {
    await kept.close();
    throw error;
  }
};

/** A tar by the file in which it lies now; `chunksOf` gives its bytes later. */
const indexed = async (
  { what, path }: TarNames,
  read: string,
  { file, size }: Pick<Spool, "file" | "size">,
  chunksOf: (range: FileRange) => AsyncIterable<Uint8Array>,
): Promise<TarFile> => ({
  what,
  path,
  entries: await onDisk("read", read, () => indexTar((at, length) => readFully(file, at, length), size, { what })),
  read: (entry, options) => bodyOf(what, entry, options, chunksOf),
  close: async () => {},
});

/** A pipe may stay silent for ever. */
async function* cancellable(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(source.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Who waits for a silent pipe waits for this, too.
    const closing = source.return?.();
    if (signal?.aborted) closing?.catch(() => {});
    else await closing;
  }
}

/** Bytes of a pipe that are read at once. */
const blockSize = 256 * 1024;

async function* bodyOf(
  what: string,
  entry: IndexedEntry,
  { offset = 0, length = entry.size, signal }: ReadBodyOptions = {},
  chunksOf: (range: FileRange) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const [start, end] = [entry.offset + offset, entry.offset + Math.min(entry.size, offset + length)];
  let at = start;
  for await (const block of chunksOf({ start, end, signal })) {
    at += block.byteLength;
    yield block;
  }
  if (at < end)
    throw new DrayError("ARCHIVE_INVALID", `${what} is truncated: it ends in the middle of entry "${entry.name}"`);
}

async function* wholeFile(fs: FileSystem, path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const file = await onDisk("read", path, () => fs.open(path, "r"));
  try {
    for (;;) {
      throwIfAborted(signal);
      const block = new Uint8Array(blockSize);
      // A pipe has no positions: the next bytes are all there is.
      const { bytesRead } = await onDisk("read", path, () => file.read(block, 0, blockSize, null));
      if (bytesRead === 0) return;
      yield block.subarray(0, bytesRead);
    }
  } finally {
    await onDisk("read", path, () => file.close());
  }
}

const foreign: readonly (readonly [magic: readonly number[], name: string])[] = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz"],
  [[0x42, 0x5a, 0x68], "bzip2"],
  [[0x50, 0x4b, 0x03, 0x04], "zip"],
];

const refuseForeign = (start: Uint8Array, path: string): void => {
  const found = foreign.find(([magic]) => magic.every((byte, i) => start[i] === byte));
  if (found === undefined) return;
  throw new DrayError(
    "UNSUPPORTED",
    `${path} is compressed with ${found[1]}; decompress it first (gzip and zstd are read as they are)`,
  );
};
