import { algorithmOf, type Digest, digestOf, largestManifest } from "dray/oci";
import { describe, type Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../options.ts";
import type { ManifestRecord } from "./types.ts";

/**
 * Reads a revision from the tree. A digest is its content, so this is done once. `undefined`: the repository has none. One whose
 * content is missing or damaged is told as not readable, so that garbage collection keeps what it may need.
 */
export const readManifest = async (
  tree: Tree,
  repository: string,
  digest: Digest,
  onNotice: (notice: Notice) => void,
): Promise<ManifestRecord | undefined> => {
  const version = await tree.revision(repository, digest);
  if (version === undefined) return undefined;
  const pushedAt = version.mtime;
  const damaged = (what: string, size = 0): ManifestRecord => {
    onNotice({ level: "error", message: `a manifest cannot be read: ${what}`, repository, digest });
    return { digest, mediaType: "application/octet-stream", size, references: [], readable: false, pushedAt };
  };
  const target = await tree.revisionTarget(repository, digest);
  if (target === undefined) {
    // Gone meanwhile, or torn.
    if ((await tree.revision(repository, digest)) === undefined) return undefined;
    return damaged("its link names no digest");
  }
  const size = await tree.blobSize(target);
  if (size === undefined) return damaged("its content is missing");
  if (size > largestManifest) return damaged(`it has ${size} bytes`, size);
  const bytes = await tree.readBlob(target);
  if (bytes === undefined) return damaged("its content is missing");
  if (digestOf(bytes, algorithmOf(digest)) !== digest) return damaged("its content has another digest", size);
  const described = describe(bytes, await tree.pushedType(repository, digest));
  return { ...described, digest, size: bytes.byteLength, pushedAt };
};
