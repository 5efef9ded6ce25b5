import { reasonOf } from "dray/errors";
import { forEachConcurrent, Yielding } from "dray/internal/async";
import { type Digest, largestManifest } from "dray/oci";
import { inspectManifest, readLegacyManifest } from "../distribution-tree/index.ts";
import { pages } from "../metadata/index.ts";
import type { DeletionContext } from "./unlink.ts";

/** Links looked at side by side. */
const atOnce = 16;

/**
 * Sets the times of all that hangs on a manifest to now, itself among it: children, configuration, layers, referrers, however deep. Garbage
 * collection leaves alone what is younger than its grace, so for that long whatever goes with the manifest can be had back. Call it
 * before anything is unlinked.
 */
export const renewAll = async (context: DeletionContext, repository: string, root: Digest): Promise<void> => {
  const { tree, metadata, onNotice } = context;
  const yielding = new Yielding();
  let failure: unknown;
  const renewed = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      failure ??= error;
    });
  const seen = new Set<Digest>([root]);
  const waiting = [root];
  const add = (digest: Digest): void => {
    if (seen.has(digest)) return;
    seen.add(digest);
    waiting.push(digest);
  };
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    await renewed(tree.renewRevision(repository, digest));
    await forEachConcurrent(await referencesOf(context, repository, digest), atOnce, async (child) => {
      if (metadata.manifest(repository, child) !== undefined) add(child);
      else if (!seen.has(child)) {
        seen.add(child);
        await renewed(tree.renewLayer(repository, child));
      }
      await yielding.turn();
    });
    for (const referrers of pages(500, (page) => metadata.referrerDigests(repository, digest, page)))
      for (const referrer of referrers) add(referrer);
    await yielding.turn();
  }
  if (failure === undefined) return;
  // A file of somebody else's: what is asked for is done all the same.
  const message = `what hung on it may be collected before the grace has passed: ${reasonOf(failure)}`;
  onNotice({ level: "warn", message, repository, digest: root });
};

/** What a manifest refers to, also one whose link lies among those of layers. */
export const referencesOf = async (
  { tree, metadata }: DeletionContext,
  repository: string,
  digest: Digest,
): Promise<readonly Digest[]> => {
  const known = metadata.manifest(repository, digest);
  if (known !== undefined) return known.references;
  const legacy = await readLegacyManifest(tree, repository, digest, largestManifest);
  return legacy === undefined ? [] : (await inspectManifest(legacy.bytes)).described.references;
};
