import type { TarEntry } from "../tar/index.ts";

/** The table of contents is a file of this name, the last of the tar. */
export const tocName = "stargz.index.json";

/** Files that say where what is wanted first ends, or that there is none of it. */
export const landmarks = { prefetch: ".prefetch.landmark", noPrefetch: ".no.prefetch.landmark" } as const;

/** What a landmark holds. */
export const landmarkBytes: Uint8Array = Uint8Array.of(0x0f);

/** Annotations of the descriptor of a layer. */
export const estargzAnnotations = {
  tocDigest: "containerd.io/snapshot/stargz/toc.digest",
  uncompressedSize: "io.containers.estargz.uncompressed-size",
} as const;

/**
 * One line of the table of contents: an entry of the tar, or a later part of a file.
 * @see https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md#toc-tocentries-and-footer
 */
export interface TocEntry {
  readonly name: string;
  readonly type: "dir" | "reg" | "symlink" | "hardlink" | "char" | "block" | "fifo" | "chunk";
  /** Bytes of a file. */
  readonly size?: number | undefined;
  /** RFC 3339, whole seconds. Left out: 1970, or unknown. */
  readonly modtime?: string | undefined;
  readonly linkName?: string | undefined;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly userName?: string | undefined;
  readonly groupName?: string | undefined;
  readonly devMajor?: number | undefined;
  readonly devMinor?: number | undefined;
  /** Base64. */
  readonly xattrs?: Readonly<Record<string, string>> | undefined;
  /** Of the whole file. */
  readonly digest?: string | undefined;
  /** Where in the blob the gzip member begins that the data lies in. */
  readonly offset?: number | undefined;
  /** Bytes of that member, uncompressed, before the data. */
  readonly innerOffset?: number | undefined;
  /** Bytes of the file before this part. */
  readonly chunkOffset?: number | undefined;
  /** Bytes of this part; left out for the last one of a file. */
  readonly chunkSize?: number | undefined;
  readonly chunkDigest?: string | undefined;
}

type TocType = Exclude<TocEntry["type"], "chunk">;

export const types: Readonly<Record<TarEntry["type"], TocType | undefined>> = {
  file: "reg",
  hardlink: "hardlink",
  symlink: "symlink",
  "character-device": "char",
  "block-device": "block",
  directory: "dir",
  fifo: "fifo",
  other: undefined,
};

export const attribute = "SCHILY.xattr.";

/** What the table says of an entry besides its data; `undefined` for an entry of a kind that it has no word for. */
export const tocEntryOf = (entry: Omit<TarEntry, "size">): TocEntry | undefined => {
  const type = types[entry.type];
  if (type === undefined) return undefined;
  const isDevice = type === "char" || type === "block";
  const isLink = type === "symlink" || type === "hardlink";
  const attributes = Object.entries(entry.pax).filter(([key]) => key.startsWith(attribute));
  return {
    name: entry.name,
    type,
    modtime: modtimeOf(entry.mtime),
    linkName: isLink ? entry.linkName : undefined,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    userName: entry.uname === "" ? undefined : entry.uname,
    groupName: entry.gname === "" ? undefined : entry.gname,
    devMajor: isDevice ? entry.deviceMajor : undefined,
    devMinor: isDevice ? entry.deviceMinor : undefined,
    xattrs:
      attributes.length === 0
        ? undefined
        : Object.fromEntries(
            attributes.map(([key, value]) => [
              key.slice(attribute.length),
              Buffer.from(value, "latin1").toString("base64"),
            ]),
          ),
  };
};

/** Years that RFC 3339 can say. */
const [firstSecond, lastSecond] = [-62_167_219_200, 253_402_300_799];

const modtimeOf = (mtime: number): string | undefined => {
  const seconds = Math.round(mtime);
  if (seconds === 0 || seconds < firstSecond || seconds > lastSecond) return undefined;
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
};
