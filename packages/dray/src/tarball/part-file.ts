import { dirname } from "node:path";
import { DrayError, throwIfAborted } from "../errors.ts";
import { type FileSystem, ifThere, type Lock, lock, type OpenFile, onDisk } from "../files/index.ts";

/** The file in which an archive grows. */
export interface PartFile {
  /** What it will become, symbolic links followed. */
  readonly target: string;
  readonly path: string;
  readonly file: OpenFile;
  readonly lock: Lock;
}

/**
 * Opens `FILE.dray-part` for one writer: the one of an earlier attempt, or a new one.
 * @throws DrayError `LOCKED` when somebody else writes the same archive, `DISK`
 */
export const openPartFile = async (fs: FileSystem, file: string, signal?: AbortSignal): Promise<PartFile> => {
  throwIfAborted(signal);
  const target = await onDisk("write", file, async () => (await ifThere(() => fs.realpath(file))) ?? file);
  // A lock makes the directory it needs; a mistyped path should not.
  if ((await onDisk("write", file, () => ifThere(() => fs.stat(dirname(target))))) === undefined)
    throw new DrayError(
      "DISK",
      `cannot write ${file}: there is no directory ${dirname(target)}; make it, or check the path`,
    );
  const path = `${target}.dray-part`;
  const held = await lock(fs, path, file);
  try {
    const opened = await onDisk(
      "write",
      path,
      async () => (await ifThere(() => fs.open(path, "r+"))) ?? (await fs.open(path, "wx+", 0o666)),
    );
    return { target, path, file: opened, lock: held };
  } catch (error) {
    await held.release();
    throw error;
  }
};
