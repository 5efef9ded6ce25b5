import { posix } from "node:path";

/**
 * An entry's name as a path inside the archive: no `./` in front, no doubled or closing slashes. `undefined` for a name that
 * leads outside (`..`, an absolute path, a drive, a zero byte) or is empty.
 * @example entryPath("./blobs//sha256/") // "blobs/sha256"
 */
export const entryPath = (name: string): string | undefined => {
  if (name === "" || name.includes("\0") || name.includes("\\") || posix.isAbsolute(name) || /^[A-Za-z]:/.test(name))
    return undefined;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
};

/**
 * Where a link leads, as a path inside the archive. A symbolic link counts from the folder it lies in, a hard link from
 * the top. `undefined` when it leads outside.
 */
export const linkPath = (from: string, target: string, type: "symlink" | "hardlink"): string | undefined => {
  if (type === "hardlink") return entryPath(target);
  if (posix.isAbsolute(target)) return undefined;
  const joined = posix.normalize(posix.join(posix.dirname(from), target));
  return joined === ".." || joined.startsWith("../") ? undefined : entryPath(joined);
};
