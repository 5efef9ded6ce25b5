/** Bytes of a path at most, as Linux has it: what is longer no container can open. */
export const longestPath = 4096;
/** Symbolic links that are followed on one way at most, as Linux has it. */
export const mostLinks = 40;

/** The parts of a path, or of what a symbolic link says: what is between slashes, but for what stays where it is. */
export const stepsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");

/**
 * A name of an entry, or of what a hard link leads to, part by part from the root. Where it begins with a slash, or with none, says nothing;
 * `a/../b` is `b`. `undefined`: it leaves the root.
 */
export const partsOf = (name: string): string[] | undefined => {
  const parts: string[] = [];
  for (const part of stepsOf(name))
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  return parts;
};

const prefix = ".wh.";

/** The name of the entry by which layers take away what those below have at a path. */
export const whiteoutFor = (path: string): string => path.replace(/[^/]*$/, (name) => prefix + name);

/** Whether a file of this name would say something of layers below, and be none itself. */
export const isWhiteoutName = (name: string): boolean => name.startsWith(prefix);

/** What the name of an entry says by its last part. @see image-spec, layer.md, "Whiteouts" */
export type Meaning =
  /** Something that is there. */
  | { readonly kind: "entry" }
  /** Takes away what layers below have under this name beside it. */
  | { readonly kind: "whiteout"; readonly of: string }
  /** Takes away all that layers below have in the directory it lies in. */
  | { readonly kind: "opaque" }
  /** What AUFS kept for itself: never seen, but hard links may lead there. */
  | { readonly kind: "meta" }
  /** A whiteout of nothing, or of the directory it lies in. */
  | { readonly kind: "senseless" };

const entry: Meaning = { kind: "entry" };

export const meaningOf = (parts: readonly string[]): Meaning => {
  const last = parts.at(-1) ?? "";
  if (last === ".wh..wh..opq") return { kind: "opaque" };
  if (parts.some((part) => part.startsWith(".wh..wh."))) return { kind: "meta" };
  if (!isWhiteoutName(last)) return entry;
  const of = last.slice(prefix.length);
  return of === "" || of === "." || of === ".." ? { kind: "senseless" } : { kind: "whiteout", of };
};
