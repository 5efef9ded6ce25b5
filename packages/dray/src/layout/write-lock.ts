import { join } from "node:path";
import { diskError, errnoOf, type FileSystem, type Lock, lock, onDisk } from "../files/index.ts";
import type { LayoutPaths } from "./paths.ts";
import type { LayoutReader } from "./reader.ts";

/**
 * One lock for all that a store writes, from the first write to the end. A layout that is damaged, or that another process
 * writes, is refused before anything is transferred. Its release takes `.dray/` away if nothing is left in it.
 * @throws DrayError `LOCKED`, `LAYOUT_INVALID`, `DISK`
 */
export const lockLayout = async (fs: FileSystem, paths: LayoutPaths, reader: LayoutReader): Promise<Lock> => {
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
