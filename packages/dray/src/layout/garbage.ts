import { join } from "node:path";
import { type Cancel, childrenOfKind, isManifest } from "../content/index.ts";
import { throwIfAborted } from "../errors.ts";
import { type FileSystem, ifThere, nodeFiles, onDisk } from "../files/index.ts";
import { type Descriptor, type Digest, isDigest, isSchema1Type } from "../oci/index.ts";
import { directoryFiles } from "./directory.ts";
import { layoutPaths } from "./paths.ts";
import { LayoutReader } from "./reader.ts";
import { lockLayout } from "./write-lock.ts";

/** How garbage is collected. */
export interface LayoutGarbageOptions extends Cancel {
  /** `true`: nothing is removed; the result says what would be. Default `false`. */
  readonly dryRun?: boolean | undefined;
  /** Hears of each blob when it has been removed. */
  readonly onRemoved?: ((blob: LayoutGarbage["removed"][number]) => void) | undefined;
  /** The file system, for tests that let it fail. Default: the real one. */
  readonly fs?: FileSystem | undefined;
}

/** What was found in a layout. */
export interface LayoutGarbage {
  /** Blobs that nothing leads to, with their bytes. */
  readonly removed: readonly { readonly digest: Digest; readonly size: number }[];
  /** How many blobs something leads to. */
  readonly kept: number;
}

/**
 * Removes from a layout what no entry of its index leads to. Unfinished content, from which a later write goes on, stays, and so does every file whose
 * name is no digest. The layout is locked meanwhile against other writers of this library; where a manifest cannot be read nothing is removed, since nobody
 * knows what it needs.
 * @throws DrayError `LAYOUT_INVALID`, `LOCKED`, `DISK`; `DIGEST_MISMATCH`, `MANIFEST_INVALID` for a manifest that is damaged
 * @example
 * const { removed } = await collectLayoutGarbage("./mirror", { dryRun: true });
 */
export const collectLayoutGarbage = async (
  dir: string,
  { dryRun = false, onRemoved, fs = nodeFiles, signal }: LayoutGarbageOptions = {},
): Promise<LayoutGarbage> => {
  const paths = layoutPaths(dir);
  const reader = new LayoutReader(directoryFiles(fs, paths));
  // Says what is wrong with a directory that is no layout before anything is made in it.
  await reader.index({ signal });
  const lock = dryRun ? undefined : await lockLayout(fs, paths, reader);
  try {
    const needed = await neededBlobs(reader, { signal });
    const removed: { digest: Digest; size: number }[] = [];
    let kept = 0;
    for (const algorithm of ["sha256", "sha512"]) {
      const folder = join(dir, "blobs", algorithm);
      for (const name of (await onDisk("read", folder, () => ifThere(() => fs.readdir(folder)))) ?? []) {
        throwIfAborted(signal);
        const digest = `${algorithm}:${name}`;
        if (!isDigest(digest)) continue;
        if (needed.has(digest)) {
          kept++;
          continue;
        }
        const path = paths.blob(digest);
        const facts = await onDisk("read", path, () => fs.lstat(path));
        // A folder is nobody's blob.
        if (!facts.isFile() && !facts.isSymbolicLink()) continue;
        if (!dryRun) await onDisk("remove", path, () => fs.unlink(path));
        removed.push({ digest, size: facts.size });
        onRemoved?.({ digest, size: facts.size });
      }
    }
    return { removed, kept };
  } finally {
    await lock?.release();
  }
};

/** What the entries of the index lead to, themselves among it, however deep. What is not there (a layout may be sparse) leads nowhere. */
const neededBlobs = async (reader: LayoutReader, options: Cancel): Promise<ReadonlySet<Digest>> => {
  const needed = new Set<Digest>();
  const read = new Set<Digest>();
  const open: Descriptor[] = [...(await reader.index(options)).manifests];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    throwIfAborted(options.signal);
    needed.add(entry.digest);
    const isRead = isManifest(entry) || isSchema1Type(entry.mediaType);
    if (!isRead || read.has(entry.digest) || !(await reader.holds(entry))) continue;
    read.add(entry.digest);
    const parsed = await reader.graph.manifest(entry, options);
    if (parsed.kind === "schema1") for (const digest of parsed.blobs) needed.add(digest);
    for (const { digest } of childrenOfKind(parsed, "blob")) needed.add(digest);
    open.push(...childrenOfKind(parsed, "manifest"));
  }
  return needed;
};
