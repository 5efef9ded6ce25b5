import { parted, rooted } from "./rooted.ts";

/** What a layer says of the layers below it: that they have nothing at a path, or that a directory has nothing of theirs in it. */
export interface Whiteout {
  readonly kind: "removed" | "opaque" | "reserved";
  /** What is gone, or the directory. */
  readonly path: string;
}

const prefix = ".wh.";
const reserved = ".wh..wh.";

/** The name of the entry that says so of a path: layers below have nothing there. */
export const whiteoutFor = (path: string): string => {
  const [folder, name] = parted(path);
  return rooted(`${folder}/${prefix}${name}`);
};

/** Whether a file of this name would say something of layers below, and be none itself. */
export const isWhiteoutName = (name: string): boolean => name.startsWith(prefix);

/**
 * What an entry says of the layers below, by its name; `undefined` for one that is a file of its own. Names that AUFS keeps for itself are
 * `reserved`, and nobody's files.
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
export const whiteoutOf = (path: string): Whiteout | undefined => {
  const [folder, last] = parted(path);
  if (last === `${reserved}.opq`) return { kind: "opaque", path: folder };
  if (path.includes(`/${reserved}`)) return { kind: "reserved", path: folder };
  if (!last.startsWith(prefix)) return undefined;
  const gone = last.slice(prefix.length);
  return gone === "" || gone === "." || gone === ".."
    ? { kind: "reserved", path: folder }
    : { kind: "removed", path: rooted(`${folder}/${gone}`) };
};
