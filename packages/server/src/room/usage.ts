import { Yielding } from "dray/internal/async";
import type { Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";

/** Bytes that a repository links, each content once: what quotas count. */
export const bytesIn = async (tree: Tree, repository: string): Promise<number> => {
  const yielding = new Yielding();
  const seen = new Set<Digest>();
  let bytes = 0;
  const count = async (digest: Digest | undefined): Promise<void> => {
    await yielding.turn();
    if (digest === undefined || seen.has(digest)) return;
    seen.add(digest);
    bytes += (await tree.blobSize(digest)) ?? 0;
  };
  for await (const folder of tree.revisions(repository)) await count(await tree.revisionTarget(repository, folder));
  for await (const folder of tree.layers(repository)) await count(await tree.layer(repository, folder));
  await tree.refuseGone();
  return bytes;
};
