import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  writeSync,
} from "node:fs";
import { isDrayError, throwIfAborted } from "../../errors.ts";
import { diskError } from "../../files/index.ts";
import type { Digest } from "../../oci/index.ts";
import { lentEntries, type TreeEntry, type TreeOptions } from "../tree/index.ts";
import type { Image } from "../views.ts";
import { type LeftOut, LeftOutTally } from "./left-out.ts";
import { type ExtractLimits, type Meter, meterFor, usualRatio } from "./limits.ts";
import { Root } from "./place.ts";
import { stagingFor } from "./staging.ts";
import { subtree } from "./subtree.ts";

export type { LeftOut } from "./left-out.ts";

/** How a tree is put into a directory. */
export interface ExtractOptions extends TreeOptions {
  readonly limits?: ExtractLimits | undefined;
  /** `true`: owners are set, and with them set-uid and set-gid. Default: whether this process is root. */
  readonly owners?: boolean | undefined;
  /** A directory of the image, which is then the root of what is extracted. Default: all of it. */
  readonly path?: string | undefined;
}

/** What was put into a directory. */
export interface Extracted {
  /** Of the image's manifest. */
  readonly digest: Digest;
  readonly files: number;
  /** Those that have an entry. */
  readonly directories: number;
  readonly symlinks: number;
  readonly hardlinks: number;
  /** Of files, holes not counted. */
  readonly bytes: number;
  /** What could not be set, as `extractByTar` can. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Puts the tree of an image into a directory that is not there, or empty. Nothing is written outside it, whatever the layers say: links are made
 * as they are, and never followed. Set are content, modes, times, symbolic and hard links, holes, and as root owners; what Node's file
 * system has no function for is counted and named: extended attributes, devices, pipes. The tree has its place when it is whole, and what fails
 * is taken away; a kill leaves a directory whose name ends with `.partial`. It is not forced to the disk.
 * @param directory where the root of the image comes to lie
 * @throws DrayError `EXISTS` for a directory that is not empty, `LIMIT_EXCEEDED`, `DISK`, and what `treeEntries` throws
 * @example const { files, leftOut } = await extract(image, "rootfs");
 */
export const extract = async (image: Image, directory: string, options: ExtractOptions = {}): Promise<Extracted> => {
  const { limits = {}, owners = process.getuid?.() === 0, path, ...reading } = options;
  const staging = await stagingFor(directory);
  try {
    const meter = await meterFor(staging.path, limits);
    const place = new Root(staging.path);
    try {
      const extraction = new Extraction(place, { meter, owners, signal: options.signal });
      const lent = { ...reading, ratio: limits.ratio ?? usualRatio };
      for await (const entry of path === undefined ? lentEntries(image, lent) : subtree(image, path, lent))
        await extraction.put(entry);
      await staging.finish(extraction.settle());
      return { digest: image.descriptor.digest, ...extraction.result() };
    } finally {
      place.close();
    }
  } catch (error) {
    await staging.abandon();
    throw error;
  }
};

interface Setting {
  readonly meter: Meter;
  readonly owners: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The path of the root itself. */
const root = ".";

type Attributes = Pick<TreeEntry, "mode" | "uid" | "gid" | "mtime">;

/** One tree on its way into a directory. Its calls wait for the file system one by one: each is shorter than a switch to another thread. */
class Extraction {
  readonly #root: Root;
  readonly #setting: Setting;
  readonly #leftOut = new LeftOutTally();
  /** Set when nothing more comes into them: it would change their times, and their modes might forbid it. */
  readonly #directories = new Map<string, Attributes | undefined>();
  readonly #notMade = new Set<string>();
  readonly #counts = { files: 0, directories: 0, symlinks: 0, hardlinks: 0, bytes: 0 };

  constructor(root: Root, setting: Setting) {
    this.#root = root;
    this.#setting = setting;
  }

  result(): Omit<Extracted, "digest"> {
    return { ...this.#counts, leftOut: this.#leftOut.list() };
  }

  async put(entry: TreeEntry): Promise<void> {
    this.#setting.meter.entry(entry);
    try {
      this.#root.above(entry.path, (folder) => this.#directories.set(folder, undefined));
      await this.#make(entry);
    } catch (error) {
      throw isDrayError(error) ? error : diskError(error, "write", entry.path);
    }
  }

  /** Gives the directories their attributes, the deepest first and the root last: it may let nobody in. Says whether that has some. */
  settle(): boolean {
    const hasRoot = this.#directories.has(root);
    const paths = [...this.#directories.keys()].filter((path) => path !== root).sort();
    if (hasRoot) paths.unshift(root);
    for (const path of paths.reverse()) {
      const attributes = this.#directories.get(path);
      const at = this.#root.at(path);
      try {
        this.#root.refuseOther(path);
        if (attributes === undefined) chmodSync(at, 0o755);
        else {
          this.#owner(path, attributes, () => lchownSync(at, attributes.uid, attributes.gid));
          chmodSync(at, this.#mode(path, attributes));
          lutimesSync(at, ...times(attributes));
        }
      } catch (error) {
        throw diskError(error, "write", path);
      }
    }
    return hasRoot;
  }

  async #make(entry: TreeEntry): Promise<void> {
    const { path, type, linkName } = entry;
    this.#notMade.delete(path);
    // An empty directory that the same layer replaces: its attributes are none of what is there now, nor of what that may lead to.
    if (type !== "directory") this.#directories.delete(path);
    switch (type) {
      case "directory":
        this.#root.directory(path);
        this.#directories.set(path, entry);
        this.#counts.directories++;
        break;
      case "symlink": {
        this.#root.symlink(path, linkName);
        const at = this.#root.at(path);
        this.#owner(path, entry, () => lchownSync(at, entry.uid, entry.gid));
        lutimesSync(at, ...times(entry));
        this.#counts.symlinks++;
        break;
      }
      case "hardlink":
        if (this.#notMade.has(linkName)) this.#leave(path);
        else {
          this.#root.link(path, linkName);
          this.#counts.hardlinks++;
        }
        return;
      case "block-device":
      case "character-device":
      case "fifo":
        this.#leave(path);
        this.#leftOut.add(type === "fifo" ? "pipe" : "device", path);
        return;
      default:
        await this.#file(entry);
    }
    this.#leftOut.addOf(entry);
  }

  /** What the same layer had there counts no longer, all the same. */
  #leave(path: string): void {
    this.#root.remove(path);
    this.#notMade.add(path);
  }

  async #file(entry: TreeEntry): Promise<void> {
    const { path, size, extents = [{ offset: 0, size }] } = entry;
    const fd = this.#root.file(path);
    try {
      let [index, inside] = [0, 0];
      if (entry.stored > 0)
        for await (let chunk of entry.data) {
          throwIfAborted(this.#setting.signal);
          while (chunk.byteLength > 0) {
            const extent = extents[index] ?? { offset: 0, size: 0 };
            const part = chunk.subarray(0, extent.size - inside);
            writeAll(fd, part, extent.offset + inside);
            inside += part.byteLength;
            if (inside === extent.size) [index, inside] = [index + 1, 0];
            chunk = chunk.subarray(part.byteLength);
          }
        }
      if (entry.extents !== undefined) ftruncateSync(fd, size);
      this.#owner(path, entry, () => fchownSync(fd, entry.uid, entry.gid));
      fchmodSync(fd, this.#mode(path, entry));
      futimesSync(fd, ...times(entry));
    } finally {
      closeSync(fd);
    }
    this.#counts.files++;
    this.#counts.bytes += entry.stored;
  }

  #owner(path: string, { uid, gid }: Attributes, set: () => void): void {
    if (this.#setting.owners) set();
    else if (uid !== process.getuid?.() || gid !== process.getgid?.()) this.#leftOut.add("owner", path);
  }

  /** A program that runs as its owner is none that runs as whoever extracted it. */
  #mode(path: string, { mode }: Attributes): number {
    if (this.#setting.owners || (mode & 0o6000) === 0) return mode;
    this.#leftOut.add("set-id", path);
    return mode & 0o1777;
  }
}

const writeAll = (fd: number, bytes: Uint8Array, position: number): void => {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd, bytes, at, bytes.byteLength - at, position + at);
};

/** Access and change. A number below zero would be taken for now. */
const times = ({ mtime }: Attributes): [number | Date, number | Date] => {
  const time = mtime < 0 ? new Date(mtime * 1000) : mtime;
  return [time, time];
};
