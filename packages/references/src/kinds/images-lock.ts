import type { Sink } from "../sink.ts";
import { atOf, scalarOf, type TreeNode } from "../tree/index.ts";

/** `images[].image` of an ImagesLock, `bundle.image` of a BundleLock. */
export const inImagesLock = (root: TreeNode, sink: Sink): void => {
  const images = atOf(root, "images");
  if (images?.type === "list")
    for (const [index, each] of images.items.entries()) {
      const image = scalarOf(atOf(each, "image"));
      if (image !== undefined) sink.whole("lock", image, `images[${index}].image`);
    }
  const bundle = scalarOf(atOf(root, "bundle", "image"));
  if (bundle !== undefined) sink.whole("lock", bundle, "bundle.image");
};
