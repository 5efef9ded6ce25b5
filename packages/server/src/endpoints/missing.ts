import { forEachConcurrent } from "dray/internal/async";
import { type Digest, isIndexType, isManifestType } from "dray/oci";
import type { RegistryContext } from "../context.ts";
import type { Child } from "../distribution-tree/index.ts";
import { RegistryError } from "../registry-error.ts";
import type { Call } from "./call.ts";

/** Looks of one manifest at the tree, side by side. */
const atOnce = 8;

/**
 * Refuses a pushed manifest that names what its repository does not have: an image without its configuration or its layers, and an
 * index without the manifests that the operator wants there. What has URLs lies at those, and nobody has to have it here.
 * @throws RegistryError MANIFEST_BLOB_UNKNOWN, which names each
 */
export const refuseMissing = async (
  { context, repository }: Call,
  mediaType: string,
  children: readonly Child[],
): Promise<void> => {
  const ofIndex = isIndexType(mediaType);
  const needed = ofIndex ? neededByIndex(context, children) : neededByImage(context, children);
  const missing = new Set<Digest>();
  await forEachConcurrent(new Map(needed.map((child) => [child.digest, child])).values(), atOnce, async (child) => {
    if (!(await isThere(context, repository, child, ofIndex))) missing.add(child.digest);
  });
  // In the order of the manifest.
  const [first, ...others] = needed.flatMap(({ digest }) =>
    missing.delete(digest) ? [{ message: `${repository} has no ${digest}; push it first`, detail: { digest } }] : [],
  );
  if (first === undefined) return;
  const { message, detail } = first;
  throw new RegistryError(400, "MANIFEST_BLOB_UNKNOWN", message, { detail, others });
};

const neededByImage = ({ settings }: RegistryContext, children: readonly Child[]): readonly Child[] =>
  settings.sparseImages ? [] : children.filter(({ urls = [] }) => urls.length === 0);

const neededByIndex = ({ settings }: RegistryContext, children: readonly Child[]): readonly Child[] => {
  const wanted = settings.completeIndexes;
  if (wanted === "none") return [];
  if (wanted === "all" || wanted.length === 0) return children;
  return children.filter(({ platform }) =>
    wanted.some(({ os, architecture }) => platform?.os === os && platform.architecture === architecture),
  );
};

/** Link and data. BuildKit's caches are indexes of blobs; a manifest is pulled as one, and no blob stands for it. */
const isThere = async (
  { tree, blobs }: RegistryContext,
  repository: string,
  { digest, mediaType, size }: Child,
  ofIndex: boolean,
): Promise<boolean> => {
  const onlyAsManifest = ofIndex && (isManifestType(mediaType) || isIndexType(mediaType));
  if (!onlyAsManifest && (await blobs.find(repository, digest, size)) !== undefined) return true;
  const target = await tree.revisionTarget(repository, digest);
  return target !== undefined && (await tree.blobSize(target)) !== undefined;
};
