import type { Yielding } from "dray/internal/async";
import type { Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Metadata } from "../metadata/index.ts";
import { manifestsOf, repositoriesOf } from "./reachability.ts";

/** The two sets of a garbage collection as distribution does it: no grace, no leases, all manifests stay, links count for nothing. */
export interface Marks {
  /** Manifests and what they refer to, whether it is there or not. In order. */
  readonly marked: readonly Digest[];
  /** Blobs of the pool that are not marked. In order. */
  readonly eligible: readonly Digest[];
}

/** Marks from the metadata, which must be whole, as collecting does. */
export const markAll = async (
  { tree, metadata }: { tree: Tree; metadata: Metadata },
  yielding: Yielding,
): Promise<Marks> => {
  const marked = new Set<Digest>();
  for await (const repository of repositoriesOf(metadata, yielding))
    for await (const { digest, references } of manifestsOf(metadata, repository, yielding)) {
      marked.add(digest);
      for (const child of references) marked.add(child);
    }
  const eligible: Digest[] = [];
  for await (const digest of tree.blobs()) {
    if (!metadata.isUsed(digest)) eligible.push(digest);
    await yielding.turn();
  }
  return { marked: [...marked].sort(), eligible };
};
