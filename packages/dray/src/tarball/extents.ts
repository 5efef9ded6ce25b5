import { isDrayError } from "../errors.ts";
import { type OpenFile, readFully } from "../files/index.ts";
import { type Descriptor, type Digest, isDigest } from "../oci/index.ts";
import { headerSize, padded, placedEntries, type ReadAt } from "../tar/index.ts";

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
