import { isDrayError } from "dray/errors";
import { type Digest, largestManifest } from "dray/oci";
import { inspectManifest, readManifest, type StoredManifest, type Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { type FileVersion } from "../storage/index.ts";
import type { ManifestRecord } from "./records.ts";

/**
 * What is recorded of a revision of the tree. A digest is its content, so this is read once. `undefined`: the repository has none.
 * One whose content is missing or damaged is told as not readable, so that garbage collection keeps what it may need.
 */
export const readRecord = async (
  tree: Tree,
  repository: string,
  digest: Digest,
  onNotice: (notice: Notice) => void,
): Promise<ManifestRecord | undefined> => {
  const unreadable = (version: FileVersion, size: number, why: string): ManifestRecord => {
    onNotice({ level: "error", message: `a manifest cannot be read: ${why}`, repository, digest });
    const pushedAt = version.mtime;
    return { digest, mediaType: "application/octet-stream", size, references: [], readable: false, pushedAt };
  };
  let stored: StoredManifest | undefined;
  try {
    stored = await readManifest(tree, repository, digest, largestManifest);
  } catch (error) {
    if (!isDrayError(error, "DISK")) throw error;
    const version = await tree.revision(repository, digest);
    return version && unreadable(version, 0, error.message);
  }
  if (stored === undefined) return undefined;
  const pushedAt = stored.version.mtime;
  if ("bytes" in stored) {
    const { bytes, pushedType } = stored;
    const { described } = await inspectManifest(bytes, pushedType);
    return { ...described, digest, size: bytes.byteLength, pushedAt };
  }
  const { version, fault, size } = stored;
  return unreadable(version, size, fault === "too large" ? `it has ${size} bytes` : reasons[fault]);
};

const reasons = {
  torn: "its link names no digest",
  missing: "its content is missing",
  damaged: "its content has another digest",
} as const;
