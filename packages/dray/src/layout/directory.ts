import { join, sep } from "node:path";
import { DrayError } from "../errors.ts";
import { chunksOfFile, diskError, errnoOf, type FileFacts, type FileSystem, ifThere, onDisk } from "../files/index.ts";
import type { LayoutFiles } from "./files.ts";
import type { LayoutPaths } from "./paths.ts";

/** The error for a layout that is damaged or none. `what` says what is wrong and what to do. */
export const layoutInvalid = (dir: string, what: string, cause?: unknown): DrayError =>
  new DrayError("LAYOUT_INVALID", `layout ${dir}: ${what}`, { reference: `oci:${dir}`, cause });

/** The files of a layout in a directory, which other tools may change at any time. */
export const directoryFiles = (fs: FileSystem, paths: LayoutPaths): LayoutFiles => {
  const { dir } = paths;
  return {
    what: `layout ${dir}`,
    location: `oci:${dir}`,
    fixed: false,
    find: async (name) => {
      const path = join(dir, name);
      const facts = await factsOf(fs, dir, name);
      if (facts === undefined) return undefined;
      const { size, ino, mtimeMs } = facts;
      return {
        size,
        version: `${ino} ${mtimeMs} ${size}`,
        read: ({ offset = 0, length = size, signal } = {}) =>
          chunksOfFile(fs, path, async () => ({ start: offset, end: Math.min(size, offset + length), signal })),
        load: () => onDisk("read", path, () => fs.readFile(path)),
      };
    },
    noIndex: () => noIndex(fs, paths),
    invalid: (fault, cause) => layoutInvalid(dir, `${fault}; write the layout again`, cause),
    damaged: ({ digest, size }, found, cause) =>
      found !== size
        ? layoutInvalid(dir, `blob ${digest} has ${found} bytes instead of ${size}; copy it there again`)
        : new DrayError(
            cause.code,
            `layout ${dir}: blob ${digest} holds other bytes; remove ${paths.blob(digest)} and copy it there again`,
            { reference: digest, cause },
          ),
  };
};

/**
 * What the file system says of a file; nothing where there is none.
 * @throws DrayError `LAYOUT_INVALID` for what is no file, and for a blob that is a link out of the layout: whoever made the layout
 * could have us send any file of this machine. What is read as JSON goes nowhere and may lie elsewhere.
 */
const factsOf = async (fs: FileSystem, dir: string, name: string): Promise<FileFacts | undefined> => {
  const path = join(dir, name);
  const [, algorithm, hex] = /^blobs\/(.+)\/(.+)$/.exec(name) ?? [];
  const what = hex === undefined ? name : `blob ${algorithm}:${hex}`;
  try {
    let facts = await fs.lstat(path);
    if (facts.isSymbolicLink()) {
      const [inside, real] = await Promise.all([fs.realpath(dir), fs.realpath(path)]);
      if (hex !== undefined && !real.startsWith(inside.endsWith(sep) ? inside : inside + sep))
        throw layoutInvalid(dir, `${what} is a link out of the layout, to ${real}; put the file itself there`);
      facts = await fs.stat(real);
    }
    if (facts.isFile()) return facts;
    // Opening a pipe would wait for ever.
    throw layoutInvalid(
      dir,
      hex !== undefined
        ? `${what} is no file; remove ${path} and copy it there again`
        : `${what} is ${facts.isDirectory() ? "a directory" : "no file"}; write the layout again`,
    );
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ELOOP") throw layoutInvalid(dir, `${what} is a loop of links; remove ${path}`, error);
    throw diskError(error, "read", path);
  }
};

const noIndex = async (fs: FileSystem, { dir, unfinished }: LayoutPaths): Promise<DrayError> => {
  const facts = await onDisk("read", dir, async () => {
    try {
      return await fs.stat(dir);
    } catch (error) {
      const code = errnoOf(error);
      // Below what is no directory there is nothing either, and who wants to write there is told by that.
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  });
  if (facts === undefined)
    return new DrayError("NOT_FOUND", `there is no layout ${dir}; check the path`, { reference: `oci:${dir}` });
  if (!facts.isDirectory())
    return layoutInvalid(dir, "it is a file; a layout is a directory, an archive is oci-archive:FILE");
  return (await onDisk("read", unfinished, () => ifThere(() => fs.stat(unfinished)))) !== undefined
    ? layoutInvalid(dir, "it was never finished: it has no index.json yet; run again what began to write it")
    : layoutInvalid(dir, "it is no OCI layout: it has no index.json; check the path");
};
