import { algorithmOf, type Digest, digestOf } from "dray/oci";
import type { FileVersion, Tree } from "./tree.ts";

/** A manifest as the tree has it: its bytes, which have its digest, or why there are none. */
export type StoredManifest = {
  /** Of its link in the repository. */
  readonly version: FileVersion;
} & (
  | {
      readonly bytes: Uint8Array;
      /** The type it was pushed with, where its bytes do not show it. */
      readonly pushedType: string | undefined;
    }
  | {
      /** The link names no digest; its content is missing; it has more bytes than are read; they have another digest. */
      readonly fault: "torn" | "missing" | "too large" | "damaged";
      readonly size: number;
    }
);

/**
 * Reads a revision from the tree. `undefined`: the repository has none.
 * @param largest bytes that are read at most
 */
export const readManifest = async (
  tree: Tree,
  repository: string,
  digest: Digest,
  largest: number,
): Promise<StoredManifest | undefined> => {
  const version = await tree.revision(repository, digest);
  if (version === undefined) return undefined;
  const target = await tree.revisionTarget(repository, digest);
  if (target === undefined)
    // Gone meanwhile, or torn.
    return (await tree.revision(repository, digest)) && { version, fault: "torn", size: 0 };
  const size = await tree.blobSize(target);
  if (size !== undefined && size > largest) return { version, fault: "too large", size };
  const bytes = size === undefined ? undefined : await tree.readBlob(target);
  if (bytes === undefined) return { version, fault: "missing", size: 0 };
  if (digestOf(bytes, algorithmOf(digest)) !== digest) return { version, fault: "damaged", size: bytes.byteLength };
  return { version, bytes, pushedType: await tree.pushedType(repository, digest) };
};
