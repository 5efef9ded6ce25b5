import { stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Of Linux, by the number that statfs tells: what looks like files there is the kernel, and nothing can be made. */
const kernels: ReadonlyMap<number, string> = new Map([
  [0x9fa0, "proc"],
  [0x62656572, "sysfs"],
  [0x27e0eb, "cgroup"],
  [0x63677270, "cgroup2"],
  [0x1cd1, "devpts"],
  [0x64626720, "debugfs"],
  [0x74726163, "tracefs"],
  [0x73636673, "securityfs"],
  [0x6165676c, "pstore"],
  [0xcafe4a11, "bpf"],
  [0x62656570, "configfs"],
  [0x65735543, "fusectl"],
]);

/** A folder, or the nearest one above it that is there. */
const nearestFolder = async (path: string): Promise<string> => {
  const folder = resolve(path);
  try {
    await stat(folder);
    return folder;
  } catch {
    return folder === dirname(folder) ? folder : nearestFolder(dirname(folder));
  }
};

/** Bytes of the file system on which a folder is, or would be made. */
export const sizeAt = async (path: string): Promise<number> => {
  const { bsize, blocks } = await statfs(await nearestFolder(path));
  return bsize * blocks;
};

/** What is wrong with a place on which no file can be made, whoever asks. */
export const holdsNoFiles = async (path: string): Promise<string | undefined> => {
  const folder = await nearestFolder(path);
  const name = kernels.get((await statfs(folder)).type >>> 0);
  return name === undefined
    ? undefined
    : `${folder} is a window into the kernel (${name}) and holds no files; choose a folder on a disk`;
};
