import { constants } from "node:fs";
import { dirname, resolve } from "node:path";
import { DrayError } from "dray/errors";
import { diskError, errnoOf, type FileSystem, type Lock, lock } from "dray/internal/files";
import { removeTree, type Syncs } from "./directories.ts";
import type { LockVolume } from "./volume-lock.ts";

/** A folder that this process alone serves. */
export interface Volume {
  readonly folder: string;
  /** Where unfinished files lie: on the same file system, outside the tree, where every name means something. */
  readonly unfinished: string;
  readonly lock: Lock;
}

/** Directories of the tree that are looked at, from the top down, before anybody pushes. */
const looks = 64;

/**
 * Makes the folder, or takes it over: sees that it can be written, locks it for life and removes what an earlier process left unfinished.
 * @throws DrayError `LOCKED` naming the holder; `DISK` with owner and remedy
 */
export const openVolume = async (
  fs: FileSystem,
  path: string,
  syncs: Syncs | undefined,
  lockVolume: LockVolume = lock,
): Promise<Volume> => {
  const folder = resolve(path);
  const own = `${folder}/dray`;
  const unfinished = `${own}/tmp`;
  const made = await writing(fs, folder, folder, () => fs.mkdir(folder, { recursive: true }));
  await writing(fs, folder, own, () => fs.mkdir(unfinished, { recursive: true }));
  await lookAround(fs, folder, [unfinished, own, `${folder}/docker`]);
  const held = await lockVolume(fs, `${own}/volume`, `the volume ${folder}`);
  try {
    for (const name of await writing(fs, folder, unfinished, () => fs.readdir(unfinished)))
      await writing(fs, folder, unfinished, () => removeTree(fs, `${unfinished}/${name}`));
    if (made !== undefined && syncs !== undefined)
      for (let at = folder; at !== dirname(made); at = dirname(at)) await syncs.directory(dirname(at));
    return { folder, unfinished, lock: held };
  } catch (error) {
    await held.release();
    throw diskError(error, "open", folder);
  }
};

/** A volume from elsewhere often belongs to somebody else, in whole or below some directory. */
const lookAround = async (fs: FileSystem, folder: string, from: readonly string[]): Promise<void> => {
  const queue = [...from];
  for (const directory of queue) {
    const facts = await unlessAbsent(() => fs.stat(directory));
    if (facts === undefined || !facts.isDirectory()) continue;
    await writing(fs, folder, directory, () => fs.access(directory, constants.R_OK | constants.W_OK | constants.X_OK));
    const names = await writing(fs, folder, directory, () => fs.readdir(directory));
    queue.push(...names.slice(0, Math.max(0, looks - queue.length)).map((name) => `${directory}/${name}`));
  }
};

const unlessAbsent = async <T>(look: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await look();
  } catch {
    return undefined;
  }
};

const writing = async <T>(fs: FileSystem, folder: string, path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const code = errnoOf(error);
    if (code !== "EACCES" && code !== "EPERM") throw diskError(error, "write", path);
    throw await notOurs(fs, folder, path, error);
  }
};

const notOurs = async (fs: FileSystem, folder: string, path: string, cause: unknown): Promise<DrayError> => {
  const at = await nearest(fs, path);
  const [user, group] = [process.getuid?.(), process.getgid?.()];
  const owner = at.uid === 0 ? "root" : `user ${at.uid}`;
  return new DrayError(
    "DISK",
    `cannot write ${at.path} of the volume ${folder}: it belongs to ${owner}` +
      `${user === undefined ? "" : ` and this process runs as user ${user}`}; run ` +
      `"chown -R ${user ?? "USER"}:${group ?? "GROUP"} ${folder}" once, or run dray as ${owner}`,
    { cause },
  );
};

/** The path itself, or what is there of it. */
const nearest = async (fs: FileSystem, path: string): Promise<{ path: string; uid: number }> => {
  const facts = await unlessAbsent(() => fs.stat(path));
  if (facts !== undefined || path === dirname(path)) return { path, uid: facts?.uid ?? 0 };
  return nearest(fs, dirname(path));
};
