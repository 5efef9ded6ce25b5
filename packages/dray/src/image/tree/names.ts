/** Bytes of a path at most, as Linux has it: what is longer no container can open. */
export const longestPath = 4096;

/**
 * A name of an entry, or of what a hard link leads to, part by part from the root. Where it begins with a slash, or with none, says nothing;
 * `a/../b` is `b`. `undefined`: it leaves the root.
 */
export const partsOf = (name: string): string[] | undefined => {
  const parts: string[] = [];
  for (const part of name.split("/"))
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "" && part !== ".") parts.push(part);
  return parts;
};

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
  if (!last.startsWith(".wh.")) return entry;
  const of = last.slice(".wh.".length);
  return of === "" || of === "." || of === ".." ? { kind: "senseless" } : { kind: "whiteout", of };
};
