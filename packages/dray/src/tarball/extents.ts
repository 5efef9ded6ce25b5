import { hashed } from "../content/index.ts";
import { isDrayError, throwIfAborted } from "../errors.ts";
import { fileChunks, type OpenFile, readFully } from "../files/index.ts";
import { algorithmOf, type Descriptor, type Digest, isDigest } from "../oci/index.ts";
import { headerSize, padded, placedEntries, type ReadAt } from "../tar/index.ts";
import { blockSize, giveBlock, takeBlock } from "../threads/index.ts";

/** The bytes that an entry takes, header and padding among them, counted from the beginning of the archive. */
export interface Extent {
  readonly digest: Digest;
  readonly name: string;
  readonly size: number;
  /** Its header. */
  start: number;
  /** Its first byte. */
  readonly body: number;
  /** The next header. */
  readonly end: number;
}

/** The extent of new content, laid behind what is there. */
export const extentOf = ({ digest, size }: Descriptor, name: string, start: number): Extent => {
  const body = start + headerSize({ name, size });
  return { digest, name, size, start, body, end: body + padded(size) };
};

/** The digest that an entry's name stands for, whatever the format writes around its digits. */
const digestIn = (name: string): Digest | undefined => {
  const [hex = ""] = /(?:[0-9a-f]{128}|[0-9a-f]{64})/.exec(name) ?? [];
  const digest = `${hex.length === 64 ? "sha256" : "sha512"}:${hex}`;
  return isDigest(digest) ? digest : undefined;
};

/**
 * The extents that headers in an unfinished archive mark: those up to the first header that makes no sense, or whose entry
 * the archive is too short for.
 */
export const findExtents = async (file: OpenFile, size: number): Promise<Extent[]> => {
  const extents = new Map<Digest, Extent>();
  const readAt: ReadAt = (offset, length) => readFully(file, offset, length);
  try {
    for await (const entry of placedEntries(readAt, size, { what: "the unfinished archive" })) {
      const digest = digestIn(entry.name);
      const end = entry.offset + padded(entry.size);
      if (digest === undefined || entry.type !== "file" || extents.has(digest) || end > size) break;
      extents.set(digest, { digest, name: entry.name, size: entry.size, start: entry.start, body: entry.offset, end });
    }
  } catch (error) {
    if (!isDrayError(error)) throw error;
  }
  return [...extents.values()];
};

/**
 * How much an earlier attempt left of an extent's content: the whole, checked; or so many bytes from the beginning, to be checked at the
 * end. Bodies are written from the start on and in turn, so what counts is the last byte that is not zero. Content may itself end in
 * zeros, so near the end its digest decides.
 */
export const examine = async (
  file: OpenFile,
  path: string,
  extent: Extent,
  signal: AbortSignal | undefined,
): Promise<"whole" | number> => {
  const { digest, size, body } = extent;
  const written = await lastWritten(file, extent, signal);
  if (size - written > blockSize) return written;
  // Where the file is shorter than its headers promise the digest tells.
  const chunks = fileChunks(file, path, { start: body, end: body + size, signal });
  if ((await hashed(chunks, algorithmOf(digest), size)) === digest) return "whole";
  return written === size ? 0 : written;
};

const zeros = new Uint8Array(blockSize);

const lastWritten = async (file: OpenFile, extent: Extent, signal: AbortSignal | undefined): Promise<number> => {
  const block = takeBlock();
  let found = 0;
  for (let end = extent.size; end > 0 && found === 0; end -= Math.min(blockSize, end)) {
    throwIfAborted(signal);
    const start = Math.max(0, end - blockSize);
    const { bytesRead } = await file.read(block.bytes, 0, end - start, extent.body + start);
    const part = block.bytes.subarray(0, bytesRead);
    if (Buffer.compare(part, zeros.subarray(0, bytesRead)) !== 0)
      found = start + part.findLastIndex((byte) => byte !== 0) + 1;
  }
  giveBlock(block);
  return found;
};
