import { DrayError } from "../../errors.ts";
import { type ImageFiles, imageFiles, type LentOptions, lentEntries, type TreeEntry } from "../tree/index.ts";
import type { Image } from "../views.ts";

/**
 * What is in one directory of an image, as a tree of its own whose root that is. A hard link that leads out of it is the file that it stands for.
 * Links in the path are followed inside the image.
 * @throws DrayError `NOT_FOUND`, `USAGE` for what is no directory, and what `treeEntries` throws
 */
export async function* subtree(image: Image, path: string, options: LentOptions): AsyncGenerator<TreeEntry> {
  const files = await imageFiles(image, { signal: options.signal });
  const root = await files.stat(path);
  if (root.type !== "directory") throw new DrayError("USAGE", `${path} is no directory, but a ${root.type}`);
  const within = (each: string): string | undefined => below(root.path, `/${each === "." ? "" : each}`);
  for await (const entry of lentEntries(image, options)) {
    const here = within(entry.path);
    if (here === undefined) continue;
    if (entry.type !== "hardlink") yield { ...entry, path: here };
    else yield await linked({ ...entry, path: here }, within(entry.linkName), files);
  }
}

/** A path as it is seen from a directory that it lies in; `.` for that itself. */
const below = (directory: string, path: string): string | undefined => {
  if (path === directory) return ".";
  const start = directory === "/" ? "/" : `${directory}/`;
  return path.startsWith(start) ? path.slice(start.length) : undefined;
};

const linked = async (entry: TreeEntry, inside: string | undefined, files: ImageFiles): Promise<TreeEntry> => {
  if (inside !== undefined) return { ...entry, linkName: inside };
  const target = `/${entry.linkName}`;
  const { size } = await files.stat(target);
  const body = await files.open(target);
  return { ...entry, type: "file", linkName: "", size, stored: size, extents: undefined, body, data: body };
};
