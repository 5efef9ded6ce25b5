/** What an entry is, by its type flag. `other`: a vendor's own kind, with a body like a file's. */
export type EntryType =
  | "file"
  | "hardlink"
  | "symlink"
  | "character-device"
  | "block-device"
  | "directory"
  | "fifo"
  | "other";

/** A part of a sparse file that has data, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** One entry of a tar: its header, with long names and pax records applied. */
export interface TarEntry {
  /** As written: not cleaned, not safe to use as a path. See `entryPath`. A byte that is no UTF-8 is a lone surrogate, U+DC80 to U+DCFF. */
  readonly name: string;
  readonly type: EntryType;
  /** Bytes of the body; 0 for everything that has none. Of a sparse file those of its holes are counted. */
  readonly size: number;
  /** Where a sparse file has data, in order; in between and after it are holes, which read as zeros. Other files have none of this. */
  readonly extents?: readonly Extent[] | undefined;
  /** Where a link points: for a hard link an entry's name, for a symbolic link a path seen from its own folder. */
  readonly linkName: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** Seconds since 1970, with a fraction where a pax record has one. */
  readonly mtime: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** The pax records that apply to this entry, the global ones included; extended attributes are among them. */
  readonly pax: Readonly<Record<string, string>>;
}

/** An entry with its place in the tar, in bytes from the beginning. */
export interface PlacedEntry extends TarEntry {
  /** First byte of the first of its headers. */
  readonly start: number;
  /** First byte of its body; of a sparse file, of its data. */
  readonly offset: number;
  /** Bytes that the body takes, without padding: `size`, unless the file is sparse. */
  readonly stored: number;
}

/** An entry as an index keeps it: records of attributes would fill the memory, and nobody looks at them there. */
export type IndexedEntry = Omit<PlacedEntry, "pax">;

/** Headers and bodies begin at multiples of this. */
export const blockSize = 512;

/** The bytes a body of `size` bytes takes in the archive. */
export const padded = (size: number): number => Math.ceil(size / blockSize) * blockSize;

/** The zeros after a body of `size` bytes. */
export const padding = (size: number): Uint8Array => new Uint8Array(padded(size) - size);

/** What ends an archive: two blocks of zeros. */
export const endOfArchive = (): Uint8Array => new Uint8Array(2 * blockSize);
