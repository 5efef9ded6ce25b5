import { lchown } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DrayError } from "dray/errors";
import type { FileFacts, FileSystem } from "dray/internal/files";

/** To whom a volume belongs. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whose the first of these is that is there, for root, who can give; `undefined` for others, and where it is root's own. */
export const ownerOf = async (fs: FileSystem, paths: readonly string[]): Promise<Owner | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  for (const path of paths) {
    const facts = await factsOf(fs, path);
    if (facts !== undefined) return facts.uid === 0 ? undefined : { uid: facts.uid, gid: facts.gid };
  }
  return undefined;
};

/**
 * Makes a file or folder outside the tree, and gives it, with the folders that came with it, to whom the folder belongs that it was made
 * in: root may do something for the user who serves otherwise. What is there already stays as it is.
 */
export const makeForOwner = async <T>(fs: FileSystem, path: string, make: () => T | Promise<T>): Promise<T> => {
  const missing: string[] = [];
  let at = resolve(path);
  for (; at !== dirname(at) && (await factsOf(fs, at)) === undefined; at = dirname(at)) missing.push(at);
  const made = await make();
  const owner = missing.length === 0 ? undefined : await ownerOf(fs, [at]);
  // From the top down, and no link is followed: what lies in somebody else's folder may be changed by him at any time.
  if (owner !== undefined)
    for (const each of missing.reverse()) await lchown(each, owner.uid, owner.gid).catch(() => {});
  return made;
};

/** Gives a file that is ours to whom the folder belongs that it lies in. Nothing there: nothing done. */
export const giveToFolder = async (fs: FileSystem, path: string): Promise<void> => {
  const owner = await ownerOf(fs, [dirname(resolve(path))]);
  if (owner !== undefined) await lchown(path, owner.uid, owner.gid).catch(() => {});
};

/** The error for what another user has, with the two ways out. */
export const notOurs = async (fs: FileSystem, folder: string, path: string, cause: unknown): Promise<DrayError> => {
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
  const facts = await factsOf(fs, path);
  if (facts !== undefined || path === dirname(path)) return { path, uid: facts?.uid ?? 0 };
  return nearest(fs, dirname(path));
};

const factsOf = async (fs: FileSystem, path: string): Promise<FileFacts | undefined> => {
  try {
    return await fs.stat(path);
  } catch {
    return undefined;
  }
};
