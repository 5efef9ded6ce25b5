import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { diskError, errnoOf, ifThere } from "./disk-error.ts";
import { writeFully } from "./file-chunks.ts";
import type { FileSystem } from "./file-system.ts";

export interface AtomicOptions {
  /** Permissions of the new file, before the umask. Default 0o666. */
  mode?: number;
  /** Where the unfinished file lies and what its name begins with; on the same file system. Default: beside the final one. */
  temporary?: string;
}

/**
 * Replaces a file, or makes it: whoever reads it sees the old content or the new, whole, whatever happens meanwhile. When this
 * resolves the content is on the disk. A symbolic link is followed and stays.
 * @throws DrayError `DISK`; the old file is untouched then
 */
export const writeFileAtomic = async (
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
  { mode = 0o666, temporary }: AtomicOptions = {},
): Promise<void> => {
  let unfinished: string | undefined;
  try {
    const target = (await ifThere(() => fs.realpath(path))) ?? path;
    unfinished = `${temporary ?? target}.${randomBytes(6).toString("hex")}.tmp`;
    const file = await fs.open(unfinished, "wx", mode);
    try {
      await writeFully(file, bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(unfinished, target);
    await syncDirectory(fs, dirname(target));
  } catch (error) {
    if (unfinished !== undefined) await fs.unlink(unfinished).catch(() => {});
    throw diskError(error, "write", path);
  }
};

/** Makes new names in a directory last. */
export const syncDirectory = async (fs: FileSystem, directory: string): Promise<void> => {
  // Windows opens no directories, and needs none of this.
  if (process.platform === "win32") return;
  const opened = await fs.open(directory, "r");
  try {
    await opened.sync();
  } catch (error) {
    // Some network file systems know no such thing.
    if (errnoOf(error) !== "EINVAL" && errnoOf(error) !== "ENOTSUP") throw error;
  } finally {
    await opened.close();
  }
};
