import type { Cancel } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import type { FileSystem } from "../files/index.ts";
import { type Descriptor, type Digest, type Index, isDigest, largestManifest, parseManifest } from "../oci/index.ts";
import { blobChunks, blobSize } from "./blob.ts";
import { findNamed } from "./entries.ts";
import type { LayoutGraph } from "./graph.ts";
import { loadIndex, noLayout } from "./index-file.ts";
import { layoutPlace, onlyEntry, unknownName } from "./names.ts";
import type { LayoutPaths } from "./paths.ts";

/** A layout to look into. */
export interface LayoutView {
  readonly fs: FileSystem;
  readonly paths: LayoutPaths;
  readonly graph: LayoutGraph;
}

/** The index of a layout. @throws DrayError `NOT_FOUND` when there is no directory, `LAYOUT_INVALID` when it is no layout */
export const indexOf = async ({ fs, paths }: LayoutView): Promise<Index> => {
  const index = await loadIndex(fs, paths);
  if (index === undefined) throw await noLayout(fs, paths);
  return index;
};

/** What a name, a digest or `""` stands for. */
export const resolveIn = async (view: LayoutView, name: string, options: Cancel): Promise<Descriptor> => {
  const index = await indexOf(view);
  const { dir } = view.paths;
  if (name === "") return onlyEntry(layoutPlace(dir), index, view.graph, options);
  const found = isDigest(name) ? await byDigest(view, index, name, options) : findNamed(index, name);
  if (found === undefined) throw unknownName(layoutPlace(dir), index, name);
  return found;
};

/** Any blob that is there, described as well as the layout can: by an entry, by an index among the entries, by its own bytes. */
const byDigest = async (
  view: LayoutView,
  index: Index,
  digest: Digest,
  options: Cancel,
): Promise<Descriptor | undefined> => {
  const entry = index.manifests.find((other) => other.digest === digest);
  if (entry !== undefined) return entry;
  for await (const { facts } of view.graph.below(index.manifests, options)) {
    const child = facts.manifests.find((other) => other.digest === digest);
    if (child !== undefined) return child;
  }
  return describeBlob(view, digest, options);
};

/** A descriptor made from a blob alone. Its media type is that of a manifest where it parses as one. */
export const describeBlob = async (
  { fs, paths }: LayoutView,
  digest: Digest,
  { signal }: Cancel,
): Promise<Descriptor | undefined> => {
  const size = await blobSize(fs, paths, digest);
  if (size === undefined) return undefined;
  const blob: Descriptor = { mediaType: "application/octet-stream", digest, size };
  if (size > largestManifest) return blob;
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobChunks(fs, paths, blob, { offset: 0, signal })) {
    // A manifest is an object, and a layer is not worth reading on.
    if (chunks.length === 0 && chunk[0] !== 0x7b) return blob;
    chunks.push(chunk);
  }
  try {
    return { ...blob, mediaType: parseManifest(Buffer.concat(chunks)).mediaType };
  } catch (error) {
    if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED")) return blob;
    throw error;
  }
};
