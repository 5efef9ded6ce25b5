import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { DrayError } from "dray/errors";
import { errnoOf, type FileFacts, type FileSystem } from "dray/internal/files";

/** From the top down: where people mount a volume instead of at its root. */
const levels = ["docker", "docker/registry", "docker/registry/v2"];

/**
 * The folder of what is ours on a volume: temporary files, lock, what is derived. It lies on the file system of the tree, because files
 * are written there and moved into the tree, and because it belongs to the volume and not to the machine: where that is mounted below
 * the root, in the highest folder that lies on it.
 */
export const ownFolder = async (fs: FileSystem, folder: string): Promise<string> => {
  let home = folder;
  for (const level of levels) if (await isElsewhere(fs, home, `${folder}/${level}`)) home = `${folder}/${level}`;
  const { blobs, repositories } = partsOf(folder);
  // Both, somewhere together.
  if ((await isElsewhere(fs, home, repositories)) && !(await isElsewhere(fs, repositories, blobs))) {
    const above = dirname(await fs.realpath(repositories));
    if (!(await isElsewhere(fs, above, repositories)) && !(await isElsewhere(fs, above, blobs))) home = above;
  }
  return `${home}/dray`;
};

/**
 * Sees that nothing of the tree lies where a file cannot be moved to from there.
 * @throws DrayError `DISK` naming what does
 */
export const checkOneFileSystem = async (fs: FileSystem, folder: string, own: string): Promise<void> => {
  for (const part of Object.values(partsOf(folder)))
    if (await isElsewhere(fs, dirname(own), part))
      throw new DrayError(
        "DISK",
        `${part} lies on another file system than ${dirname(own)}, and nothing can be moved from one to the other at once, ` +
          `as each push needs: keep blobs and repositories of the volume ${folder} on one file system, ` +
          "by mounting it above both of them",
      );
};

/** Below the folder, from the top down: what may be a link to another disk. */
export const trunk: readonly string[] = [
  "",
  ...levels,
  ...["blobs", "blobs/sha256", "blobs/sha512", "repositories"].map((name) => `${levels[2]}/${name}`),
];

/**
 * Sees that no part of the tree is a link to what is not there: a disk that is not mounted looks like a registry that is empty.
 * @throws DrayError `DISK` naming it
 */
export const checkLinks = async (fs: FileSystem, folder: string): Promise<void> => {
  for (const place of trunk) {
    const path = place === "" ? folder : `${folder}/${place}`;
    const link = await fs.lstat(path).catch(() => undefined);
    if (link?.isSymbolicLink() === true && (await factsOf(fs, path)) === undefined)
      throw new DrayError("DISK", `${path} is a link that leads nowhere; mount what it leads to, or remove it`);
  }
};

const partsOf = (folder: string): { readonly blobs: string; readonly repositories: string } => ({
  blobs: `${folder}/docker/registry/v2/blobs`,
  repositories: `${folder}/docker/registry/v2/repositories`,
});

/**
 * Whether a file cannot be renamed from one directory into the other. Not by device numbers alone: one file system that is mounted in
 * two places has one number, and renames nothing from one place to the other. The name that is tried is nobody's.
 */
export const isElsewhere = async (fs: FileSystem, one: string, other: string): Promise<boolean> => {
  const [here, there] = [await factsOf(fs, one), await factsOf(fs, other)];
  if (here === undefined || there === undefined) return false;
  if (here.dev !== there.dev) return true;
  const name = `.dray-${randomBytes(8).toString("hex")}`;
  try {
    await fs.rename(`${one}/${name}`, `${other}/${name}`);
    return false;
  } catch (error) {
    return errnoOf(error) === "EXDEV";
  }
};

const factsOf = async (fs: FileSystem, path: string): Promise<FileFacts | undefined> => {
  try {
    return await fs.stat(path);
  } catch {
    return undefined;
  }
};
