import type { Content } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { type Digest, digester, digestOf } from "../../oci/index.ts";
import type { FileInTar } from "../layers/index.ts";
import type { FileEntry, ImageFiles } from "./image-files.ts";
import { isWhiteoutName, longestPath, whiteoutFor } from "./names.ts";
import { xattrPrefix } from "./records.ts";

/** How a file is written. */
export interface WriteFileOptions {
  /** Its permissions, such as `0o644`. Default: those of the file that is there; of a new one 0555, as crane has it. */
  readonly mode?: number | undefined;
  /** Whom it belongs to. Default: whoever the file that is there belongs to; a new one root. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** As Linux has it. */
const longestName = 255;

/**
 * The entries of a layer that writes a file of an image, for `filesTar`; none, where the image has that very file already. What is there keeps its
 * mode, owner, time and extended attributes. A new file is of the year 1970, and so are the directories above it that are not there yet, which are
 * root's, of mode 0755: the same file makes the same layer. Symbolic links are followed inside the image. Of a file with several names (hard links)
 * this one alone gets the new bytes, as in a container over overlayfs.
 * @param path from the root of the image; a leading slash may be left out
 * @param content all that the file is to hold; content says its `size`
 * @throws DrayError `USAGE` for a directory and for what is no name of a file; `UNSUPPORTED` for a device; `NOT_FOUND` where a file or a circle of links
 *   is in the way; what reading layers throws
 * @example
 * const motd = new TextEncoder().encode("welcome\n");
 * const entries = await fileWritten(await imageFiles(image), "/etc/motd", motd);
 * const layer = await ingestLayer(target, filesTar(entries));
 * const { store, root } = await edit(image, appended([{ layer, history: { created_by: "welcome" } }]));
 */
export const fileWritten = async (
  files: ImageFiles,
  path: string,
  content: Uint8Array | Content,
  { mode, owner }: WriteFileOptions = {},
): Promise<readonly FileInTar[]> => {
  refuseNoName(path);
  const bytes = await files.openIfThere(path);
  if (bytes === undefined) {
    const { folders, name } = await placeOfNew(files, path);
    return [
      ...folders.map((folder): FileInTar => ({ name: `${folder}/`, type: "directory", mode: 0o755 })),
      { name, content, mode: mode ?? 0o555, ...owner },
    ];
  }
  const { path: at, mtime, xattrs, ...there } = await files.stat(path);
  const { uid, gid } = owner ?? there;
  const facts = { mode: mode ?? there.mode, uid, gid };
  const same = facts.mode === there.mode && uid === there.uid && gid === there.gid;
  if (same && sizeOf(content) === there.size && (await digestOfContent(content)) === (await digestOfChunks(bytes)))
    return [];
  return [{ name: at.slice(1), content, ...facts, mtime, pax: attributes(xattrs) }];
};

/**
 * The entry of a layer that takes a path of an image away, for `filesTar`: a whiteout. A directory goes with all that is in it; of a symbolic link at the
 * end goes the link.
 * @param path from the root of the image; a leading slash may be left out
 * @throws DrayError `NOT_FOUND`, `USAGE` for the root, and what reading layers throws
 * @example const layer = await ingestLayer(target, filesTar(await fileRemoved(await imageFiles(image), "/etc/motd")));
 */
export const fileRemoved = async (files: ImageFiles, path: string): Promise<readonly FileInTar[]> => {
  const { path: at } = await files.stat(path, { follow: false });
  if (at === "/") throw new DrayError("USAGE", "the root of an image cannot be taken away; name what is in it");
  return [{ name: whiteoutFor(at.slice(1)) }];
};

/** Where a file comes to lie that is not there: behind the links on its way, with the directories that are missing. */
const placeOfNew = async (
  files: ImageFiles,
  path: string,
): Promise<{ readonly folders: readonly string[]; readonly name: string }> => {
  const { path: there, missing } = await files.reach(path);
  const folder = there === "/" ? "" : there.slice(1);
  const upTo = (count: number): string => [...(folder === "" ? [] : [folder]), ...missing.slice(0, count)].join("/");
  const name = upTo(missing.length);
  refuseNoName(name);
  if (missing.includes("..")) throw new DrayError("NOT_FOUND", `${path} leads through a directory that is not there`);
  return { folders: missing.slice(0, -1).map((_, i) => upTo(i + 1)), name };
};

const refuseNoName = (path: string): void => {
  const parts = path.split("/");
  const last = parts.at(-1) ?? "";
  const refused = (why: string): DrayError =>
    new DrayError("USAGE", `"${path.length > 100 ? `${path.slice(0, 100)}…` : path}" ${why}`);
  if (last === "" || last === "." || last === "..") throw refused("names no file; write it whole, such as /etc/motd");
  if (parts.some(isWhiteoutName)) throw refused("has a name that layers keep for what they take away");
  if (path.length > longestPath || parts.some((part) => Buffer.byteLength(part) > longestName))
    throw refused(`is longer than Linux has it: ${longestPath} bytes, and ${longestName} of each name`);
};

const sizeOf = (content: Uint8Array | Content): number | undefined =>
  ArrayBuffer.isView(content) ? content.byteLength : content.size;

const digestOfContent = async (content: Uint8Array | Content): Promise<Digest> =>
  ArrayBuffer.isView(content) ? digestOf(content) : digestOfChunks(content.open());

const digestOfChunks = async (chunks: AsyncIterable<Uint8Array>): Promise<Digest> => {
  const hash = digester("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest();
};

const attributes = (xattrs: FileEntry["xattrs"]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(xattrs).map(([name, value]) => [`${xattrPrefix}${name}`, value]));
