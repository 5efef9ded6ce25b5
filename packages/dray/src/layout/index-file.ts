import { DrayError, isDrayError } from "../errors.ts";
import { diskError, errnoOf, type FileSystem, writeFileAtomic } from "../files/index.ts";
import { asDescriptor, type Index, isObject, parseJson } from "../oci/index.ts";
import type { LayoutPaths } from "./paths.ts";

/** The version of layouts that is read and written. */
export const layoutVersion = "1.0.0";
/** The file `oci-layout`. */
export const marker: string = `{\n    "imageLayoutVersion": "${layoutVersion}"\n}`;

/** The error for a layout that is damaged or none. `what` says what is wrong and what to do. */
export const layoutInvalid = (dir: string, what: string, cause?: unknown): DrayError =>
  new DrayError("LAYOUT_INVALID", `layout ${dir}: ${what}`, { reference: `oci:${dir}`, cause });

/**
 * Reads `index.json` of a layout; `undefined` when the directory has none.
 * @throws DrayError `LAYOUT_INVALID`, `UNSUPPORTED`, `DISK`
 */
export const loadIndex = async (fs: FileSystem, paths: LayoutPaths): Promise<Index | undefined> => {
  await checkMarker(fs, paths);
  const value = await loadJson(fs, paths.dir, paths.index, "index.json");
  if (value === undefined) return undefined;
  try {
    return asIndex(value);
  } catch (error) {
    if (!isDrayError(error)) throw error;
    throw layoutInvalid(paths.dir, `index.json is damaged: ${error.message}; write the layout again`, error);
  }
};

/** Why a directory without `index.json` cannot be read. */
export const noLayout = async (fs: FileSystem, { dir, unfinished }: LayoutPaths): Promise<DrayError> => {
  if (!(await exists(fs, dir)))
    return new DrayError("NOT_FOUND", `there is no layout ${dir}; check the path`, { reference: `oci:${dir}` });
  return (await exists(fs, unfinished))
    ? layoutInvalid(dir, "it was never finished: it has no index.json yet; run again what began to write it")
    : layoutInvalid(dir, "it is no OCI layout: it has no index.json; check the path");
};

/** Replaces `index.json`, and makes the file beside it that says what the directory is. */
export const saveIndex = async (fs: FileSystem, paths: LayoutPaths, index: Index): Promise<void> => {
  const write = (path: string, text: string): Promise<void> =>
    writeFileAtomic(fs, path, new TextEncoder().encode(text), { temporary: `${paths.unfinished}/index` });
  if (!(await exists(fs, paths.marker))) await write(paths.marker, marker);
  await write(paths.index, formatIndex(index));
};

/** The file `index.json`, in the form that crane gives it. */
export const formatIndex = (index: Index): string => JSON.stringify(index, null, 3);

const checkMarker = async (fs: FileSystem, { dir, marker: path }: LayoutPaths): Promise<void> => {
  const value = await loadJson(fs, dir, path, "oci-layout");
  // crane reads layouts without it, and so do we.
  if (value === undefined) return;
  const found = isObject(value) ? value["imageLayoutVersion"] : undefined;
  if (found !== layoutVersion)
    throw new DrayError(
      "UNSUPPORTED",
      `layout ${dir} has version ${JSON.stringify(found ?? null)}; Dray reads ${layoutVersion}`,
      {
        reference: `oci:${dir}`,
      },
    );
};

const loadJson = async (fs: FileSystem, dir: string, path: string, name: string): Promise<unknown> => {
  let bytes: Uint8Array;
  try {
    bytes = await fs.readFile(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT") return undefined;
    if (code === "EISDIR") throw layoutInvalid(dir, `${name} is a directory; write the layout again`, error);
    if (code === "ENOTDIR")
      throw layoutInvalid(dir, "it is a file; a layout is a directory, an archive is oci-archive:FILE", error);
    throw diskError(error, "read", path);
  }
  try {
    return parseJson(bytes, name);
  } catch (error) {
    throw layoutInvalid(dir, `${(error as Error).message}; write the layout again`, error);
  }
};

/** Checks that a JSON value is the index of a layout. @throws DrayError saying what is wrong */
export const asIndex = (value: unknown): Index => {
  if (!isObject(value)) throw new DrayError("LAYOUT_INVALID", "it is no JSON object");
  if (value["schemaVersion"] !== 2)
    throw new DrayError("LAYOUT_INVALID", `schemaVersion ${JSON.stringify(value["schemaVersion"] ?? null)} is not 2`);
  const manifests = value["manifests"] ?? [];
  if (!Array.isArray(manifests)) throw new DrayError("LAYOUT_INVALID", `"manifests" is no list`);
  return { ...value, schemaVersion: 2, manifests: manifests.map((entry, i) => asDescriptor(entry, `manifests[${i}]`)) };
};

export const exists = async (fs: FileSystem, path: string): Promise<boolean> => {
  try {
    await fs.stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw diskError(error, "read", path);
  }
};
