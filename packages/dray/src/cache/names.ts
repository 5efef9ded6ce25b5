import { type Digest, isDigest } from "../oci/index.ts";

/** A blob, or the index of one. */
export type CachedKind = "blob" | "index";

const isWindows = process.platform === "win32";
const indexEnding = ".index";

/** As crane names blobs, so that one directory serves both. */
export const nameOf = (digest: Digest, kind: CachedKind): string =>
  (isWindows ? digest.replace(":", "-") : digest) + (kind === "index" ? indexEnding : "");

/** What a file of that name is; `undefined` for one that is nothing of the cache's. */
export const named = (name: string): { readonly digest: Digest; readonly kind: CachedKind } | undefined => {
  const isIndex = name.endsWith(indexEnding);
  const stem = isIndex ? name.slice(0, -indexEnding.length) : name;
  const digest = isWindows ? stem.replace("-", ":") : stem;
  return isDigest(digest) ? { digest, kind: isIndex ? "index" : "blob" } : undefined;
};
