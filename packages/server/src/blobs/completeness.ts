import { forEachConcurrent } from "dray/internal/async";
import { type Digest, isIndexType, isManifestType } from "dray/oci";
import type { Child, Inspection, Tree } from "../distribution-tree/index.ts";
import type { Blobs } from "./blobs.ts";

/** Which manifests of an index must be there when it is pushed. */
export type CompleteIndexes = "all" | "none" | readonly { readonly os: string; readonly architecture: string }[];

/** What a manifest may name that is not there. */
export interface Completeness {
  readonly sparseImages: boolean;
  readonly completeIndexes: CompleteIndexes;
}

/** The children that must be there: what has URLs lies at those, and nobody has to have it here. Where none must nobody asks for them. */
export const neededOf = (
  { sparseImages, completeIndexes: wanted }: Completeness,
  mediaType: string,
  of: Pick<Inspection, "children">,
): readonly Child[] => {
  if (!isIndexType(mediaType)) return sparseImages ? [] : of.children.filter(({ urls = [] }) => urls.length === 0);
  if (wanted === "none") return [];
  if (wanted === "all" || wanted.length === 0) return of.children;
  return of.children.filter(({ platform }) =>
    wanted.some(({ os, architecture }) => platform?.os === os && platform.architecture === architecture),
  );
};

/** BuildKit's caches are indexes of blobs; a manifest of an index is pulled as one, and no blob stands for it. */
export const isPulledAsManifest = (ofType: string, { mediaType }: Child): boolean =>
  isIndexType(ofType) && (isManifestType(mediaType) || isIndexType(mediaType));

/** By digest, each once. */
export const distinct = (children: readonly Child[]): ReadonlyMap<Digest, Child> =>
  new Map(children.map((child) => [child.digest, child]));

/** Looks of one manifest at the tree, side by side. */
const atOnce = 8;

/** What a manifest that is pushed must have in its repository and has not, in its order: link and data of each are looked at. */
export const missingOf = async (
  { tree, blobs, settings }: { readonly tree: Tree; readonly blobs: Blobs; readonly settings: Completeness },
  repository: string,
  inspection: Inspection,
): Promise<readonly Digest[]> => {
  const { mediaType } = inspection.described;
  const needed = distinct(neededOf(settings, mediaType, inspection));
  const missing = new Set<Digest>();
  await forEachConcurrent(needed.values(), atOnce, async (child) => {
    const { digest, size } = child;
    if (!isPulledAsManifest(mediaType, child) && (await blobs.find(repository, digest, size)) !== undefined) return;
    const target = await tree.revisionTarget(repository, digest);
    if (target === undefined || (await tree.blobSize(target)) === undefined) missing.add(digest);
  });
  return [...needed.keys()].filter((digest) => missing.has(digest));
};
