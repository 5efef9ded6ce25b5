import { constants } from "node:fs";
import { dirname, resolve } from "node:path";
import { DrayError, isDrayError } from "dray/errors";
import { systemClock } from "dray/http";
import { diskError, errnoOf, type FileSystem, lock } from "dray/internal/files";
import { Anchors } from "./anchors.ts";
import { removeTree, type Syncs } from "./directories.ts";
import { checkLinks, checkOneFileSystem, ownFolder } from "./own-folder.ts";
import { notOurs, type Owner, ownerOf } from "./ownership.ts";
import type { LockVolume, VolumeLock } from "./volume-lock.ts";

export interface VolumeOptions {
  /** `true`: only reading, and nothing is made, until `take`. Where nothing can be written it is so anyway. */
  readonly readOnly?: boolean | undefined;
  readonly lock?: LockVolume | undefined;
  /** What this process is called, for another one that comes while it holds the volume: `` `dray serve` ``. */
  readonly who?: string | undefined;
  /** Milliseconds to wait for a holder that may be ending. Default 0. */
  readonly patience?: number | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** Directories of the tree that are looked at, from the top down, before anybody pushes. */
const looks = 64;
/** Directories without which nothing can be pushed at all. */
const isTrunk = (path: string): boolean =>
  !path.startsWith("docker/") ||
  /^docker\/registry(?:\/v2(?:\/(?:repositories|blobs(?:\/sha256|\/sha512)?))?)?$/.test(path);
/** Milliseconds between two tries to get the lock. */
const between = 100;

/**
 * A folder with a tree: read by any number of processes, written by one, which holds its lock. Paths below `dray/` mean the folder of
 * what is ours, wherever that lies.
 */
export class Volume {
  readonly folder: string;
  /** Where what is ours lies. */
  readonly own: string;
  /** Where unfinished files lie: on the file system of the tree, outside it, since every name in it means something. */
  readonly unfinished: string;
  /** Whether this process is the one that writes. */
  writes = false;
  /** To whom root gives what it makes. */
  owner: Owner | undefined;
  /** Since it was opened, or taken. */
  anchors: Anchors | undefined;
  readonly #fs: FileSystem;
  readonly #syncs: Syncs | undefined;
  readonly #options: VolumeOptions;
  #lock: VolumeLock | undefined;

  private constructor(fs: FileSystem, folder: string, own: string, syncs: Syncs | undefined, options: VolumeOptions) {
    this.#fs = fs;
    this.folder = folder;
    this.own = own;
    this.unfinished = `${own}/tmp`;
    this.#syncs = syncs;
    this.#options = options;
  }

  /** @throws DrayError `LOCKED` naming the holder; `DISK` with owner and remedy */
  static async open(
    fs: FileSystem,
    path: string,
    syncs: Syncs | undefined,
    options: VolumeOptions = {},
  ): Promise<Volume> {
    const folder = resolve(path);
    await checkLinks(fs, folder);
    const volume = new Volume(fs, folder, await ownFolder(fs, folder), syncs, options);
    if (options.readOnly === true) {
      await volume.#anchor();
      return volume;
    }
    try {
      await volume.take();
    } catch (error) {
      if (errnoOf((error as Error).cause) !== "EROFS" || (await unlessAbsent(() => fs.stat(folder))) === undefined)
        throw error;
      options.onNotice?.(
        `the file system of ${folder} is read-only: what is there is served, and nothing is taken or collected; ` +
          "--read-only says that it is meant",
      );
      await volume.#anchor();
    }
    return volume;
  }

  /**
   * Makes the folder, or takes it over: sees that it can be written, locks it for life and removes what an earlier process left
   * unfinished. Nothing is done where this process has it.
   * @throws DrayError `LOCKED` naming the holder; `DISK` with owner and remedy
   */
  async take(): Promise<void> {
    if (this.#lock !== undefined) return;
    const { folder, own, unfinished } = this;
    const fs = this.#fs;
    await this.anchors?.check();
    const made = await this.#writing(folder, () => fs.makeDirectory(folder));
    this.owner = await ownerOf(fs, [`${folder}/docker`, folder]);
    await this.#makeOwn();
    await this.#lookAround([unfinished, own, `${folder}/docker`]);
    await checkOneFileSystem(fs, folder, own);
    const held = await this.#locked();
    try {
      await Promise.all(["lock", "lock-journal", "holder"].map((end) => this.give(`${own}/volume.${end}`)));
      await this.#sweep();
      const syncs = this.#syncs;
      if (made !== undefined && syncs !== undefined)
        for (let at = folder; at !== dirname(made); at = dirname(at)) await syncs.directory(dirname(at));
      await this.#anchor();
      this.#lock = held;
      this.writes = true;
    } catch (error) {
      await held.release();
      throw diskError(error, "open", folder);
    }
  }

  /**
   * Whether `take` would find something in its way, apart from who has the volume now. Nothing is made and nothing written.
   * @throws DrayError `DISK` with owner and remedy
   */
  async look(): Promise<void> {
    const { folder, own, unfinished } = this;
    const fs = this.#fs;
    for (const path of [folder, own, unfinished]) await this.#writing(path, () => couldBeWritten(fs, path));
    await this.#lookAround([unfinished, own, `${folder}/docker`]);
    await checkOneFileSystem(fs, folder, own);
  }

  /**
   * Makes again what somebody took away while it was in use: the folder for unfinished files, the lock file.
   * @throws DrayError `LOCKED` where another process has the volume now; `DISK` where it is not there any more: what was written would
   * lie below the place where it is mounted again
   */
  async keep(): Promise<void> {
    await this.anchors?.check();
    if (this.#lock === undefined) return;
    await this.#makeOwn();
    this.#lock.keep?.();
  }

  /** Gives what root made to whom the volume belongs, so that the user who serves it otherwise can use it. */
  async give(path: string): Promise<void> {
    if (this.owner === undefined) return;
    const { uid, gid } = this.owner;
    await this.#fs.chown(path, uid, gid).catch(() => {});
  }

  /** Lets another process write; it is read on. */
  async release(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
    this.writes = false;
  }

  async close(): Promise<void> {
    await this.release();
    await this.anchors?.close();
  }

  async #anchor(): Promise<void> {
    this.anchors ??= new Anchors(this.#fs, this.folder, () => this.#makeRoot());
    await this.anchors.take();
  }

  /** Tells whether it may be made: whoever only reads makes nothing. */
  async #makeRoot(): Promise<boolean> {
    if (!this.writes) return false;
    await this.#fs.makeDirectory(this.folder);
    await this.give(this.folder);
    return true;
  }

  async #makeOwn(): Promise<void> {
    const fs = this.#fs;
    const { own, unfinished } = this;
    // A file in its place is nobody's.
    const facts = await unlessAbsent(() => fs.stat(unfinished));
    if (facts?.isDirectory() === true) return;
    await this.#writing(own, async () => {
      if (facts !== undefined) await fs.unlink(unfinished);
      await fs.makeDirectory(dirname(own));
      // One by one: Node calls a read-only file system a missing folder where it makes several.
      for (const folder of [own, unfinished])
        try {
          await fs.mkdir(folder);
          await this.give(folder);
        } catch (error) {
          if (errnoOf(error) !== "EEXIST") throw error;
        }
    });
  }

  async #locked(): Promise<VolumeLock> {
    const { lock: lockVolume = lock, who, patience = 0, signal, onNotice } = this.#options;
    const until = performance.now() + patience;
    for (let told = false; ; ) {
      try {
        return await lockVolume(this.#fs, `${this.own}/volume`, `the volume ${this.folder}`, who);
      } catch (error) {
        if (!isDrayError(error, "LOCKED") || performance.now() >= until) throw error;
        if (!told) onNotice?.(`waiting up to ${patience / 1000} s: ${error.message}`);
        told = true;
      }
      await systemClock.sleep(between, signal);
    }
  }

  /** What cannot be removed is in nobody's way: names of unfinished files are never the same again. */
  async #sweep(): Promise<void> {
    const fs = this.#fs;
    const { unfinished } = this;
    for (const name of await this.#writing(unfinished, () => fs.readdir(unfinished)))
      try {
        await removeTree(fs, `${unfinished}/${name}`);
      } catch (error) {
        const why = errnoOf(error);
        if (why === undefined) throw error;
        this.#options.onNotice?.(`${unfinished}/${name}, which an earlier process left, cannot be removed (${why})`);
      }
  }

  /** A volume from elsewhere often belongs to somebody else, in whole or below some directory. */
  async #lookAround(from: readonly string[]): Promise<void> {
    const fs = this.#fs;
    const queue = [...from];
    for (const directory of queue) {
      const facts = await unlessAbsent(() => fs.stat(directory));
      const place = directory.slice(this.folder.length + 1);
      if (facts?.isDirectory() === false && place.startsWith("docker") && isTrunk(place))
        throw new DrayError("DISK", `${directory} is a file, where a folder of the tree is needed; move it away`);
      if (facts === undefined || !facts.isDirectory()) continue;
      let names: readonly string[] = [];
      try {
        await this.#writing(directory, () => fs.access(directory, constants.R_OK | constants.W_OK | constants.X_OK));
        names = await this.#writing(directory, () => fs.readdir(directory));
      } catch (error) {
        // One repository, or a part of the pool: the others are served all the same.
        if (isTrunk(place) || !isDrayError(error, "DISK")) throw error;
        this.#options.onNotice?.(error.message);
      }
      // What was left in the folder for unfinished files is looked at when it is removed.
      if (directory === this.unfinished) continue;
      for (const name of names) {
        if (queue.length >= looks) break;
        // What is none of the tree's is nobody's trouble: `@eaDir`, `.Trash`, `lost+found`.
        if (/^[a-z0-9_][a-z0-9._-]*$/.test(name)) queue.push(`${directory}/${name}`);
      }
    }
  }

  async #writing<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const code = errnoOf(error);
      if (code !== "EACCES" && code !== "EPERM") throw diskError(error, "write", path);
      throw await notOurs(this.#fs, this.folder, path, error);
    }
  }
}

/** Sees that a directory is there and may be written, or may be made. */
const couldBeWritten = async (fs: FileSystem, path: string): Promise<void> => {
  const facts = await unlessAbsent(() => fs.stat(path));
  if (facts === undefined && path !== dirname(path)) return couldBeWritten(fs, dirname(path));
  if (facts?.isDirectory() === false)
    throw new DrayError("DISK", `${path} is a file, where a folder is needed; move it away, or choose another folder`);
  await fs.access(path, constants.W_OK | constants.X_OK);
};

const unlessAbsent = async <T>(look: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await look();
  } catch {
    return undefined;
  }
};
