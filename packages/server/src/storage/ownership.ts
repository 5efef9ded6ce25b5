import { dirname } from "node:path";
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
