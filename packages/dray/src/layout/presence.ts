import { type Cancel, isManifest, type OfKind } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Descriptor, isForeignLayerType } from "../oci/index.ts";
import { blobSize } from "./blob.ts";
import { emptyIndex } from "./entries.ts";
import type { ManifestFacts } from "./graph.ts";
import { loadIndex } from "./index-file.ts";
import type { LayoutView } from "./resolve.ts";

/** Whether the blob's file is there, of the right size. */
export const hasFile = async ({ fs, paths }: LayoutView, { digest, size }: Descriptor): Promise<boolean> => {
  try {
    return (await blobSize(fs, paths, digest)) === size;
  } catch (error) {
    // No file, or a link elsewhere: not there, then. Writing puts a file in its place.
    if (isDrayError(error, "LAYOUT_INVALID")) return false;
    throw error;
  }
};

/** What is known of a manifest whose file is there; whether it is damaged, or something that nobody here understands. */
export const factsIfSound = async (
  { graph }: LayoutView,
  descriptor: Descriptor,
  options: Cancel,
): Promise<ManifestFacts | "damaged" | "unknown"> => {
  try {
    return await graph.facts(descriptor, options);
  } catch (error) {
    if (isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH")) return "damaged";
    // Its bytes are what the digest says, whatever they mean.
    if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED", "UNSUPPORTED")) return "unknown";
    throw error;
  }
};

/**
 * Whether content is there with all that it needs. So a layout that lost something, or whose writer was killed, is made good
 * by copying the same there again: who finds a manifest complete looks no further.
 * @param unlisted manifests that will be entered into the index
 */
export const isWhole = async (
  view: LayoutView,
  descriptor: Descriptor,
  unlisted: ReadonlyMap<string, Descriptor>,
  options: Cancel & OfKind,
): Promise<boolean> => {
  if (!(await hasFile(view, descriptor))) return false;
  if (!isManifest(descriptor, options)) return true;
  const facts = await factsIfSound(view, descriptor, options);
  if (facts === "damaged") return false;
  if (facts === "unknown") return true;
  if (facts.subject !== undefined && !unlisted.has(descriptor.digest) && !(await isListed(view, descriptor, options)))
    return false;
  for (const blob of facts.blobs) if (!isForeignLayerType(blob.mediaType) && !(await hasFile(view, blob))) return false;
  for (const manifest of facts.manifests) if (!(await isWhole(view, manifest, unlisted, options))) return false;
  return true;
};

/** Whether an entry of the index leads to it: what only points up to its subject is found no other way. */
const isListed = async (view: LayoutView, { digest }: Descriptor, options: Cancel): Promise<boolean> => {
  const { manifests } = (await loadIndex(view.fs, view.paths)) ?? emptyIndex;
  for await (const { descriptor } of view.graph.below(manifests, options))
    if (descriptor.digest === digest) return true;
  return false;
};
