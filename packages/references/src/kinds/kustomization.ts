import type { Sink } from "../sink.ts";
import { atOf, scalarOf, type TreeNode } from "../tree/index.ts";

/** Entries of `images`: what they make of an image, so `newName` before `name`. One that says neither tag nor digest leaves it to the resources. */
export const inKustomization = (root: TreeNode, sink: Sink): void => {
  const images = atOf(root, "images");
  if (images?.type !== "list") return;
  for (const [index, each] of images.items.entries()) {
    const newName = scalarOf(atOf(each, "newName"));
    const repository = newName ?? scalarOf(atOf(each, "name"));
    if (repository === undefined) continue;
    const scalarAt = (key: string) => {
      const node = atOf(each, key);
      return node?.type === "scalar" ? node : undefined;
    };
    sink.spread(
      "kustomize-image",
      { repository, tag: scalarAt("newTag"), digest: scalarAt("digest"), isNamed: newName === undefined },
      `images[${index}]`,
    );
  }
};
