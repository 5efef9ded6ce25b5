import { isTelling, type Sink } from "../sink.ts";
import { atOf, type MapNode, scalarOf, type TreeNode, textAt } from "../tree/index.ts";
import { everyMap } from "./every-map.ts";

const lists = ["initContainers", "containers", "ephemeralContainers"] as const;

/**
 * Containers wherever they stand: of all workloads, in a List, in custom resources; volumes that are images. A custom resource may have an `image`
 * elsewhere, too, which counts where it names more than a word. A definition of resources describes fields and has no images.
 */
export const inKubernetes = (root: TreeNode, sink: Sink): void => {
  if (textAt(root, "kind") === "CustomResourceDefinition") return;
  const isList = textAt(root, "kind")?.endsWith("List") === true && atOf(root, "items")?.type === "list";
  const isCustom = isList ? false : isCustomResource(root);
  const customs = new Set<TreeNode>();
  everyMap(root, sink, (map, path, name) => {
    for (const list of lists) {
      const containers = atOf(map, list);
      if (containers?.type !== "list") continue;
      for (const [index, container] of containers.items.entries())
        put(container, `${path === "" ? "" : `${path}.`}${list}[${index}].image`, sink);
    }
    const reference = name === "image" ? scalarOf(atOf(map, "reference")) : undefined;
    if (reference !== undefined) sink.whole("volume", reference, `${path}.reference`);
    if (isList && isCustomResource(map)) customs.add(map);
    if (isCustom && path.startsWith("spec")) inCustom(map, path, sink);
  });
  for (const custom of customs)
    everyMap(custom, sink, (map, path) => {
      if (path.startsWith("spec")) inCustom(map, path, sink);
    });
};

const put = (container: TreeNode, path: string, sink: Sink): void => {
  const image = scalarOf(atOf(container, "image"));
  if (image !== undefined) sink.whole("container", image, path, { dialect: "shell" });
};

const inCustom = (map: MapNode, path: string, sink: Sink): void => {
  const image = scalarOf(atOf(map, "image"));
  if (image !== undefined && isTelling(image.text))
    sink.whole("resource", image, `${path}.image`, { isGuess: true, dialect: "shell" });
};

/** Kubernetes' own groups are bare words or end in `.k8s.io`. */
const isCustomResource = (node: TreeNode): boolean => {
  const [group = "", version] = (textAt(node, "apiVersion") ?? "").split("/");
  return version !== undefined && group.includes(".") && !group.endsWith(".k8s.io");
};
