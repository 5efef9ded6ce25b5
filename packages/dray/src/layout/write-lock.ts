import { join, sep } from "node:path";
import { DrayError } from "../errors.ts";
import { diskError, errnoOf, type FileSystem, type Lock, lock, onDisk } from "../files/index.ts";
import { layoutInvalid } from "./directory.ts";
import type { LayoutPaths } from "./paths.ts";
import type { LayoutReader } from "./reader.ts";

/**
 * One lock for all that a store writes, from the first write to the end. A layout that is damaged, or that another process
 * writes, is refused before anything is transferred. Its release takes `.dray/` away if nothing is left in it.
 * @throws DrayError `LOCKED`, `LAYOUT_INVALID`, `LOCATION_INVALID`, `DISK`
 */
export const lockLayout = async (fs: FileSystem, paths: LayoutPaths, reader: LayoutReader): Promise<Lock> => {
  await refuseFile(fs, paths.dir);
  await refuseLinksOut(fs, paths.dir);
  const held = await lock(fs, paths.lock, `layout ${paths.dir}`);
  const release = async (): Promise<void> => {
    await held.release();
    await tidy(fs, paths);
  };
  try {
    await reader.loadIndex();
    await sweep(fs, paths);
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
};

const refuseFile = async (fs: FileSystem, dir: string): Promise<void> => {
  // Whoever cannot look hears why when the lock is made.
  const isFile = await fs.stat(dir).then(
    (facts) => facts.isFile(),
    () => false,
  );
  if (isFile)
    throw new DrayError(
      "LOCATION_INVALID",
      `${dir} is a file; name a directory, or write an archive as oci-archive:${dir}`,
    );
};

/** What is written to, of which a link could make a place elsewhere. */
const writtenTo = [".dray", "blobs", "blobs/sha256", "blobs/sha512", "oci-layout", "index.json"];

/** Whoever made the layout could have us write anywhere where this user may. Reading through such a link harms nobody: its bytes have digests. */
const refuseLinksOut = async (fs: FileSystem, dir: string): Promise<void> => {
  for (const name of writtenTo) {
    const path = join(dir, name);
    const real = await onDisk("read", path, () => linkedTo(fs, path));
    if (real === undefined) continue;
    const inside = await onDisk("read", dir, () => fs.realpath(dir));
    if (!real.startsWith(inside.endsWith(sep) ? inside : inside + sep))
      throw layoutInvalid(
        dir,
        `${name} is a link out of the layout, to ${real}, and is not written through; remove ${path} and write the layout again`,
      );
  }
};

/** Where a link leads; of what is none, or lies below a file, nothing: whoever writes there is told by that. */
const linkedTo = async (fs: FileSystem, path: string): Promise<string | undefined> => {
  try {
    return (await fs.lstat(path)).isSymbolicLink() ? await fs.realpath(path) : undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
};

/** A new index that was cut short is of no use to anyone. Partial blobs are. */
const sweep = (fs: FileSystem, { unfinished }: LayoutPaths): Promise<void> =>
  onDisk("tidy up", unfinished, async () => {
    for (const name of await fs.readdir(unfinished)) if (name.endsWith(".tmp")) await fs.unlink(join(unfinished, name));
  });

const tidy = async (fs: FileSystem, { unfinished }: LayoutPaths): Promise<void> => {
  try {
    await fs.rmdir(unfinished);
  } catch (error) {
    const code = errnoOf(error);
    // Partial blobs, or the lock of the next one, are in it.
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw diskError(error, "remove", unfinished);
  }
};
