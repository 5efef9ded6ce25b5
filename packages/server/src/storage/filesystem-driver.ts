import { randomBytes } from "node:crypto";
import { basename, dirname } from "node:path";
import { DrayError } from "dray/errors";
import {
  type AppendFile,
  appendFile,
  errnoOf,
  type FileSystem,
  ifPossible,
  nodeFiles,
  type OpenFile,
  onDisk,
} from "dray/internal/files";
import { createHashPool } from "dray/internal/hash";
import type { DigestAlgorithm } from "dray/oci";
import { Directories, removeEmptyTree, removeTree, Syncs } from "./directories.ts";
import {
  type ChangeOptions,
  checkPath,
  type Driver,
  type Facts,
  type MoveOptions,
  type StoredFile,
  type WriteOptions,
} from "./driver.ts";
import { Links } from "./links.ts";
import { Volume, type VolumeOptions } from "./volume.ts";

/** Whoever uploads, one is as good as the other: the threads of all. */
const threads = createHashPool();

/** Up to this size a file that grows is hashed and written where the bytes are: the way to a thread costs more. */
const mostInPlace = 64 * 1024;

export interface FilesystemDriverOptions extends VolumeOptions {
  /** `full`: what is acknowledged survives a power cut. `relaxed`: only a kill; the system writes when it likes. Default `full`. */
  readonly durability?: "full" | "relaxed";
  readonly fs?: FileSystem;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A driver with the volume that its files lie on. */
export interface FilesystemDriver extends Driver {
  readonly volume: Volume;
}

/**
 * Files in a folder, which is made where it is missing and locked until `close`, unless it is only read.
 * @throws DrayError `LOCKED` naming who has the folder; `DISK` where it cannot be written, with owner and remedy
 */
export const filesystemDriver = async (
  folder: string,
  options: FilesystemDriverOptions = {},
): Promise<FilesystemDriver> => {
  const fs = options.fs ?? nodeFiles;
  const syncs = new Syncs(fs);
  const volume = await Volume.open(fs, folder, options.durability === "relaxed" ? undefined : syncs, options);
  return new Files(fs, volume, syncs, options);
};

class Files implements FilesystemDriver {
  readonly #fs: FileSystem;
  readonly volume: Volume;
  readonly #syncs: Syncs;
  readonly #directories: Directories;
  readonly #links: Links;
  readonly #full: boolean;
  readonly #now: () => number;
  /** Of this process, so that nothing an earlier one left is in the way. */
  readonly #prefix = randomBytes(6).toString("hex");
  #unfinished = 0;

  constructor(fs: FileSystem, volume: Volume, syncs: Syncs, options: FilesystemDriverOptions) {
    this.#fs = fs;
    this.volume = volume;
    this.#syncs = syncs;
    this.#links = new Links(fs);
    this.#directories = new Directories(fs, [volume.folder, volume.own], syncs, {
      onMade: (path) => this.#give(path),
      onMissing: async () => this.volume.anchors?.makeReady(),
    });
    this.#full = options.durability !== "relaxed";
    this.#now = options.now ?? Date.now;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const file = this.#at(path);
    return onDisk("read", file, () => ifPossible(() => this.#fs.readFile(file)));
  }

  async open(path: string): Promise<StoredFile | undefined> {
    const at = this.#at(path);
    return onDisk("open", at, async () => {
      const file = await ifPossible(() => this.#fs.open(at, "r"));
      return file === undefined ? undefined : storedFile(file, at);
    });
  }

  async stat(path: string): Promise<Facts | undefined> {
    const at = this.#at(path);
    const facts = await onDisk("look at", at, () => ifPossible(() => this.#fs.stat(at)));
    if (facts === undefined) return undefined;
    return { size: facts.size, mtime: facts.mtimeMs, ino: facts.ino, directory: facts.isDirectory() };
  }

  async list(path: string): Promise<string[] | undefined> {
    const at = this.#at(path);
    return onDisk("list", at, () => ifPossible(() => this.#fs.readdir(at)));
  }

  async write(path: string, bytes: Uint8Array, { durable: lasting = true, after }: WriteOptions = {}): Promise<void> {
    const at = this.#toWrite(path);
    const waits = this.#full && lasting;
    // Awaited below; a failure that comes before is not unhandled.
    after?.catch(() => {});
    await onDisk("write", at, async () => {
      const unfinished = `${this.volume.unfinished}/${this.#prefix}-${++this.#unfinished}`;
      try {
        await this.#writeWhole(unfinished, bytes, waits);
        await after;
        await this.#directories.inside(dirname(at), () => this.#fs.rename(unfinished, at));
      } catch (error) {
        await this.#fs.unlink(unfinished).catch(() => {});
        throw error;
      }
      if (waits) await this.#directories.last(dirname(at));
    });
  }

  async makeDirectory(path: string): Promise<void> {
    const at = this.#toWrite(path);
    await onDisk("write", at, async () => {
      await this.#directories.make(at);
      if (this.#full) await this.#directories.last(at);
    });
  }

  async move(from: string, to: string, { alone = false }: MoveOptions = {}): Promise<void> {
    const [source, target] = [this.#toWrite(from), this.#toWrite(to)];
    const [old, folder] = [dirname(source), dirname(target)];
    const together = alone && basename(source) === basename(target);
    const before = [this.#readyToMove(source), ...(together && this.#full ? [this.#syncs.directory(old)] : [])];
    await onDisk("move", source, () => allOf(before));
    await onDisk("write", target, async () => {
      const moved = together && (await this.#moveFolder(old, folder));
      if (!moved) await this.#directories.inside(folder, () => this.#fs.rename(source, target));
      if (this.#full) await this.#directories.last(moved ? dirname(folder) : folder);
    });
  }

  async remove(path: string, { durable: lasting = true }: ChangeOptions = {}): Promise<void> {
    const at = this.#toWrite(path);
    await onDisk("remove", at, async () => {
      const removed = await removeTree(this.#fs, at);
      if (removed && lasting && this.#full) await this.#syncs.directory(dirname(at));
    });
  }

  async removeEmpty(path: string): Promise<boolean> {
    const at = this.#toWrite(path);
    return onDisk("remove", at, async () => {
      const removed = await removeEmptyTree(this.#fs, at);
      if (removed && this.#full) await this.#syncs.directory(dirname(at));
      return removed;
    });
  }

  async touch(path: string, { durable: lasting = true }: ChangeOptions = {}): Promise<void> {
    this.#refuseReader();
    const at = this.#at(path);
    const now = new Date(this.#now());
    if (this.#full && lasting) await this.#lasts(at);
    await onDisk("write", at, () => ifPossible(() => this.#fs.utimes(at, now, now)));
  }

  async receive(path: string, algorithm: DigestAlgorithm): Promise<AppendFile> {
    const at = this.#toWrite(path);
    return onDisk("write", at, async () => {
      const fresh = await this.#directories.make(dirname(at));
      const file = fresh ? await this.#fs.open(at, "wx+") : await openToGrow(this.#fs, at);
      await this.#give(at);
      const there = fresh ? { there: 0 } : {};
      return appendFile(file, at, { algorithm, ...there, threadFrom: mostInPlace, pool: threads, durable: this.#full });
    });
  }

  async space(): Promise<{ readonly free: number; readonly total: number } | undefined> {
    // The file system of the tree, wherever the volume is mounted.
    const at = dirname(this.volume.own);
    const facts = await onDisk("look at", at, () => ifPossible(() => this.#fs.statfs(at)));
    return facts && { free: facts.bavail * facts.bsize, total: facts.blocks * facts.bsize };
  }

  stopped(): boolean {
    return this.#syncs.failed;
  }

  async refuseGone(): Promise<void> {
    await this.volume.anchors?.check();
  }

  async refuseBrokenLink(path: string): Promise<void> {
    const at = this.#at(path);
    await this.refuseGone();
    return onDisk("look at", at, () => this.#links.refuseBroken(at));
  }

  async close(): Promise<void> {
    await this.volume.close();
  }

  #at(path: string): string {
    checkPath(path);
    const { folder, own } = this.volume;
    return path.startsWith("dray/") ? `${own}${path.slice(4)}` : `${folder}/${path}`;
  }

  /** @throws DrayError `DENIED` where this process only reads */
  #refuseReader(): void {
    const { writes, folder } = this.volume;
    if (!writes)
      throw new DrayError("DENIED", `the volume ${folder} is only read by this process; nothing is written to it`);
  }

  /** What root made belongs to whom the volume belongs. */
  async #give(path: string): Promise<void> {
    if (this.volume.owner !== undefined) await this.volume.give(path);
  }

  /** @throws DrayError where nothing is written any more, or ever */
  #toWrite(path: string): string {
    this.#refuseReader();
    this.#syncs.check();
    return this.#at(path);
  }

  /** One rename, instead of a directory that is made and one that is removed. `false` where something is in the way. */
  async #moveFolder(from: string, to: string): Promise<boolean> {
    try {
      await this.#directories.move(from, to);
      return true;
    } catch (error) {
      if (inTheWay.has(errnoOf(error) ?? "")) return false;
      throw error;
    }
  }

  async #writeWhole(path: string, bytes: Uint8Array, waits: boolean): Promise<void> {
    const file = await this.#openUnfinished(path);
    try {
      await this.#give(path);
      for (let at = 0; at < bytes.byteLength; ) {
        const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, at);
        if (bytesWritten === 0) throw new DrayError("DISK", `cannot write ${path}: the file took no more bytes`);
        at += bytesWritten;
      }
      if (waits) await this.#syncs.file(path, file);
    } finally {
      await file.close();
    }
  }

  /** Somebody may empty a volume that is served. */
  async #openUnfinished(path: string): Promise<OpenFile> {
    try {
      return await this.#fs.open(path, "wx");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
    await this.volume.anchors?.makeReady();
    await this.volume.keep();
    return this.#fs.open(path, "wx");
  }

  /** Whoever wrote it: a process that was killed, one that waits for no disk, another program. */
  async #lasts(at: string): Promise<void> {
    this.#syncs.check();
    await onDisk("write", at, async () => {
      const file = await ifPossible(() => this.#fs.open(at, "r"));
      if (file === undefined) return;
      try {
        await this.#syncs.file(at, file);
      } finally {
        await file.close();
      }
      await this.#directories.last(dirname(at));
    });
  }

  /** Sees that it is a file, and brings its bytes to the disk: they come before the name. */
  async #readyToMove(path: string): Promise<void> {
    if (this.#full) {
      const file = await this.#fs.open(path, "r+");
      try {
        await this.#syncs.file(path, file);
      } finally {
        await file.close();
      }
    } else if ((await this.#fs.stat(path)).isDirectory())
      throw new DrayError("DISK", `cannot move ${path}: it is a directory`);
  }
}

/** Waits for all, also where one fails: then nothing goes on behind the caller's back. @throws what the first of them threw */
export const allOf = async (works: readonly Promise<unknown>[]): Promise<void> => {
  for (const result of await Promise.allSettled(works)) if (result.status === "rejected") throw result.reason;
};

const openToGrow = async (fs: FileSystem, path: string): Promise<OpenFile> =>
  (await ifPossible(() => fs.open(path, "r+"))) ?? fs.open(path, "wx+");

/** What systems say of a directory that has something in it, is none, or is open. */
const inTheWay: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM", "EACCES", "EBUSY"]);

/** Directories can be opened as well, and read nothing. */
const storedFile = async (file: OpenFile, path: string): Promise<StoredFile | undefined> => {
  let size: number | undefined;
  try {
    const facts = await file.stat();
    if (facts.isFile()) size = facts.size;
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  if (size === undefined) {
    await file.close();
    return undefined;
  }
  const end = size;
  let closed: Promise<void> | undefined;
  return {
    size,
    read: (into, position) =>
      onDisk("read", path, () => readWhole(file, into.subarray(0, Math.max(0, end - position)), position)),
    close: () => {
      closed ??= onDisk("read", path, () => file.close());
      return closed;
    },
  };
};

const readWhole = async (file: OpenFile, into: Uint8Array, position: number): Promise<number> => {
  let read = 0;
  while (read < into.byteLength) {
    const { bytesRead } = await file.read(into, read, into.byteLength - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return read;
};
