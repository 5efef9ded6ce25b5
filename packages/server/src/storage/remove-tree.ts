import { errnoOf, type FileSystem } from "dray/internal/files";

/** Times that something is put into a directory just when it is removed. */
const tries = 4;

/** Removes a file, a link, or a directory with all that is in it. Links are not followed. Tells whether there was anything. */
export const removeTree = async (fs: FileSystem, path: string): Promise<boolean> => {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    // Only some systems say EISDIR.
    if (code !== "EISDIR" && (code !== "EPERM" || !(await isDirectory(fs, path)))) throw error;
  }
  return removeDirectory(fs, path);
};

const removeDirectory = async (fs: FileSystem, path: string): Promise<boolean> => {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const name of await fs.readdir(path)) await removeTree(fs, `${path}/${name}`);
      await fs.rmdir(path);
      return true;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return true;
      if (errnoOf(error) !== "ENOTEMPTY" || attempt === tries) throw error;
    }
  }
};

const isDirectory = async (fs: FileSystem, path: string): Promise<boolean> => {
  try {
    return (await fs.lstat(path)).isDirectory();
  } catch {
    return false;
  }
};
