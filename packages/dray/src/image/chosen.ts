import { loadManifest, type ReadableStore, type ReadOptions, selectPlatforms } from "../content/index.ts";
import { type Descriptor, type Digest, isIndexType, type WantedPlatform } from "../oci/index.ts";
import type { Image, ImageIndex } from "./views.ts";

/**
 * The images in a view that serve some platforms, with what the index has attached to them: of each platform the one that fits best, and
 * of an os alone every one. An image in view is what was meant, whatever it is for.
 * @throws DrayError `NOT_FOUND` naming what there is, `PLATFORM_INVALID`
 */
export const chosenImages = async (
  view: Image | ImageIndex,
  platforms: readonly (string | WantedPlatform)[],
  options: Pick<ReadOptions, "signal"> = {},
): Promise<ReadonlySet<Digest>> => {
  const { store, root } = await selectPlatforms(view.store, view.descriptor, platforms, options);
  return imagesBelow(store, root, options, new Set());
};

/** Only indexes are read. */
const imagesBelow = async (
  store: ReadableStore,
  descriptor: Descriptor,
  options: Pick<ReadOptions, "signal">,
  found: Set<Digest>,
): Promise<Set<Digest>> => {
  if (found.has(descriptor.digest)) return found;
  found.add(descriptor.digest);
  if (!isIndexType(descriptor.mediaType)) return found;
  const { parsed } = await loadManifest(store, descriptor, options);
  if (parsed.kind === "index")
    for (const child of parsed.index.manifests) await imagesBelow(store, child, options, found);
  return found;
};
