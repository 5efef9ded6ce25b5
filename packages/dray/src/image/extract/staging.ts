import { randomBytes } from "node:crypto";
import { chmod, chown, lstat, mkdir, readdir, rename, rm, rmdir, stat, utimes } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DrayError } from "../../errors.ts";
import { ifThere, makeDirectory, onDisk } from "../../files/index.ts";

/** A directory that is being filled. */
export interface Staging {
  readonly path: string;
  /** Gives what is in it its place. @param hasRoot whether its own owner, mode and time are set, too */
  finish(hasRoot: boolean): Promise<void>;
  /** Takes it away. */
  abandon(): Promise<void>;
}

/**
 * A directory for a tree that is not whole yet. Where the final one is not there, this lies beside it and gets its name at the end, at once; in
 * one that is there and empty it lies under a name of its own, and what is in it moves up at the end. So a tree that has its place is whole,
 * whatever is killed meanwhile; what is left then is called `….partial`.
 * @throws DrayError `EXISTS` for a directory that is not empty, or a file; `DISK`
 */
export const stagingFor = async (directory: string): Promise<Staging> => {
  const target = resolve(directory);
  const there = await onDisk("read", target, () => ifThere(() => stat(target)));
  if (there !== undefined) await refuseFull(target, there.isDirectory());
  const mark = randomBytes(6).toString("hex");
  const path = there === undefined ? `${target}.${mark}.partial` : join(target, `.dray.${mark}.partial`);
  await onDisk("write", target, async () => {
    await makeDirectory(dirname(path));
    // Nobody else comes in before all of it has its owners and modes.
    await mkdir(path, 0o700);
  });
  return {
    path,
    finish: (hasRoot) => onDisk("write", target, () => (there === undefined ? settle : moveUp)(path, target, hasRoot)),
    abandon: () => removeTree(path),
  };
};

const settle = async (from: string, to: string, hasRoot: boolean): Promise<void> => {
  if (!hasRoot) await chmod(from, 0o755);
  await rename(from, to);
};

const moveUp = async (from: string, to: string, hasRoot: boolean): Promise<void> => {
  const { mode, uid, gid, atime, mtime } = await stat(from);
  await chmod(from, 0o700);
  for (const name of await readdir(from, { encoding: "buffer" })) {
    const [before, after] = [joined(from, name), joined(to, name)];
    const child = await lstat(before);
    // Who may not write to a directory may not move it either.
    const isLocked = child.isDirectory() && (child.mode & 0o200) === 0;
    if (isLocked) await chmod(before, child.mode | 0o200);
    await rename(before, after);
    if (isLocked) await chmod(after, child.mode & 0o7777);
  }
  await rmdir(from);
  if (!hasRoot) return;
  if (process.getuid?.() === 0) await chown(to, uid, gid);
  await chmod(to, mode & 0o7777);
  await utimes(to, atime, mtime);
};

const refuseFull = async (target: string, isDirectory: boolean): Promise<void> => {
  if (!isDirectory)
    throw new DrayError("EXISTS", `${target} is no directory; name one that is empty, or not there`, {
      reference: target,
    });
  const [first, ...others] = await onDisk("read", target, () => readdir(target));
  if (first === undefined) return;
  const isLeftover = others.length === 0 && /^\.dray\.[0-9a-f]+\.partial$/.test(first);
  throw new DrayError(
    "EXISTS",
    isLeftover
      ? `${target} holds what an attempt that was killed has left, ${first}; remove that`
      : `${target} is not empty; name a directory that is, or is not there: what is in it is not merged with an image`,
    { reference: target },
  );
};

const joined = (folder: string | Buffer, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(folder), Buffer.from("/"), name]);

/** Also directories that their owner may not write to. */
const removeTree = async (path: string): Promise<void> => {
  await rm(path, { recursive: true, force: true }).catch(async () => {
    await unlock(Buffer.from(path));
    await rm(path, { recursive: true, force: true });
  });
};

const unlock = async (folder: Buffer): Promise<void> => {
  await chmod(folder, 0o700);
  for (const name of await readdir(folder, { encoding: "buffer" })) {
    const at = joined(folder, name);
    if ((await lstat(at)).isDirectory()) await unlock(at);
  }
};
