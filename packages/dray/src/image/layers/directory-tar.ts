import { lstat, open, readdir, readlink } from "node:fs/promises";
import { type Content, passedOver } from "../../content/index.ts";
import { DrayError, throwIfAborted } from "../../errors.ts";
import { chunksOfFile, onDisk } from "../../files/index.ts";
import { decodeText, encodeText, endOfArchive, isWellFormed, type NewEntry, writeHeader } from "../../tar/index.ts";
import { fileInTar } from "./files-tar.ts";

/** How a folder becomes a tar. */
export interface DirectoryTarOptions {
  /** Who owns everything. Default: root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** The one time of everything, in seconds since 1970. Default 0. */
  readonly mtime?: number;
  /** Where in the image it comes to lie, such as `usr/share/app`. Default: the root. */
  readonly prefix?: string;
}

/**
 * A tar of what lies in a folder, the folder itself not among it: sorted by name, with one time and one owner, so that the same files make the
 * same bytes on every machine. Names of any bytes, modes, symbolic links, hard links, pipes and devices are kept. Extended attributes and holes are not,
 * capabilities among them, for which Node has no function: give a tar made by `tar --xattrs` where they matter.
 * @throws DrayError when it is read: `NOT_FOUND`, `DISK`; `UNSUPPORTED` for a socket; `SIZE_MISMATCH` for a file that changes meanwhile
 * @example const layer = await ingestLayer(target, directoryTar("./public", { prefix: "srv/www" }));
 */
export const directoryTar = (directory: string, options: DirectoryTarOptions = {}): Content => ({
  open: ({ offset = 0, signal } = {}) => passedOver(offset, tarOf(directory, options, signal)),
});

async function* tarOf(
  directory: string,
  { prefix = "", ...options }: DirectoryTarOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const below = prefix.split("/").filter((part) => part !== "" && part !== ".");
  if (below.includes("..")) throw new DrayError("USAGE", `the prefix "${prefix}" leads out of the image`);
  const walk: Walk = { ...options, signal, links: new Map() };
  yield* folder(walk, directory, below.map((part) => `${part}/`).join(""));
  yield endOfArchive();
}

interface Walk extends Omit<DirectoryTarOptions, "prefix"> {
  readonly signal: AbortSignal | undefined;
  /** Names of files that have several, by device and inode. */
  readonly links: Map<string, string>;
}

async function* folder(walk: Walk, directory: string, prefix: string): AsyncGenerator<Uint8Array> {
  for (const name of await namesIn(directory)) {
    throwIfAborted(walk.signal);
    yield* entry(walk, `${directory}/${name}`, prefix + name);
  }
}

/** Sorted by their bytes. */
const namesIn = async (directory: string): Promise<string[]> => {
  const names = await onDisk("read", directory, () => readdir(asPath(directory), { encoding: "buffer" }));
  return names.sort((a, b) => Buffer.compare(a, b)).map((bytes) => decodeText(bytes));
};

/** A path as the file system takes it: what is no text as its bytes. */
const asPath = (path: string): string | Buffer => (isWellFormed(path) ? path : Buffer.from(encodeText(path)));

const byteFiles = { open: (path: string, flags: string | number) => open(asPath(path), flags) };

async function* entry(walk: Walk, path: string, name: string): AsyncGenerator<Uint8Array> {
  const { owner = { uid: 0, gid: 0 }, mtime = 0, links, signal } = walk;
  const stats = await onDisk("read", path, () => lstat(asPath(path)));
  const facts = { ...owner, mtime, mode: stats.mode & 0o7777 };
  const header = (more: Omit<NewEntry, "name"> & { readonly name?: string }): Uint8Array =>
    writeHeader({ name, ...facts, ...more });
  if (stats.isDirectory()) {
    yield header({ name: `${name}/`, type: "directory" });
    yield* folder(walk, path, `${name}/`);
    return;
  }
  const inode = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1 ? links.get(inode) : undefined;
  if (first !== undefined) {
    yield header({ type: "hardlink", linkName: first });
    return;
  }
  if (stats.nlink > 1) links.set(inode, name);
  if (stats.isSymbolicLink()) {
    const target = await onDisk("read", path, () => readlink(asPath(path), { encoding: "buffer" }));
    const linkName = decodeText(target);
    // What Linux says, whatever another system keeps.
    yield header({ type: "symlink", linkName, mode: 0o777 });
  } else if (stats.isFile()) {
    const { size } = stats;
    // One byte more is asked for, so that a file that grows is noticed.
    const content: Content = {
      size,
      open: () => chunksOfFile(byteFiles, path, async () => ({ start: 0, end: size + 1, signal })),
    };
    yield* fileInTar({ name, ...facts }, content, signal);
  } else if (stats.isFIFO()) yield header({ type: "fifo" });
  else if (stats.isCharacterDevice() || stats.isBlockDevice())
    yield header({ type: stats.isBlockDevice() ? "block-device" : "character-device", ...deviceOf(stats.rdev) });
  else
    throw new DrayError(
      "UNSUPPORTED",
      `${path} is a socket, which no image can hold; remove it, or give a tar without it`,
    );
}

/** The two numbers of a device, as Linux joins them in one. */
const deviceOf = (rdev: number): Pick<NewEntry, "deviceMajor" | "deviceMinor"> => ({
  deviceMajor: (rdev >>> 8) & 0xfff,
  deviceMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
});
