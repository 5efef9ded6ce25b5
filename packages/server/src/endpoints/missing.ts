import { forEachConcurrent } from "dray/internal/async";
import type { Digest } from "dray/oci";
import { distinct, isPulledAsManifest, neededOf } from "../blobs/index.ts";
import type { RegistryContext } from "../context.ts";
import type { Child, Inspection } from "../distribution-tree/index.ts";
import { RegistryError } from "../registry-error.ts";
import type { Call } from "./call.ts";

/** Looks of one manifest at the tree, side by side. */
const atOnce = 8;

/**
 * Refuses a pushed manifest that names what its repository does not have: an image without its configuration or its layers, and an
 * index without the manifests that the operator wants there.
 * @throws RegistryError MANIFEST_BLOB_UNKNOWN, which names each
 */
export const refuseMissing = async ({ context, repository }: Call, inspection: Inspection): Promise<void> => {
  const { mediaType } = inspection.described;
  const needed = neededOf(context.settings, mediaType, inspection);
  const missing = new Set<Digest>();
  await forEachConcurrent(distinct(needed).values(), atOnce, async (child) => {
    if (!(await isThere(context, repository, mediaType, child))) missing.add(child.digest);
  });
  // In the order of the manifest.
  const [first, ...others] = needed.flatMap(({ digest }) =>
    missing.delete(digest) ? [{ message: `${repository} has no ${digest}; push it first`, detail: { digest } }] : [],
  );
  if (first === undefined) return;
  const { message, detail } = first;
  throw new RegistryError(400, "MANIFEST_BLOB_UNKNOWN", message, { detail, others });
};

/** Link and data. */
const isThere = async (
  { tree, blobs }: RegistryContext,
  repository: string,
  ofType: string,
  child: Child,
): Promise<boolean> => {
  const { digest, size } = child;
  if (!isPulledAsManifest(ofType, child) && (await blobs.find(repository, digest, size)) !== undefined) return true;
  const target = await tree.revisionTarget(repository, digest);
  return target !== undefined && (await tree.blobSize(target)) !== undefined;
};
