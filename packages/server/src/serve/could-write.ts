import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError } from "dray/internal/files";

/** Sees that a file may be written, or may be made with the folders above it. @throws DrayError `DISK` */
export const couldWrite = async (path: string): Promise<void> => {
  try {
    if (await isThere(path)) {
      if ((await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
      await access(path, constants.W_OK);
    } else await couldMakeIn(dirname(path));
  } catch (error) {
    throw diskError(error, "write", path);
  }
};

const couldMakeIn = async (folder: string): Promise<void> => {
  if (!(await isThere(folder)) && folder !== dirname(folder)) return couldMakeIn(dirname(folder));
  if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
  await access(folder, constants.W_OK | constants.X_OK);
};

/** Whether something is at a path, after links. */
export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
