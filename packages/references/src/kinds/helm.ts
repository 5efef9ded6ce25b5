import { isTelling, type Sink } from "../sink.ts";
import { atOf, type MapNode, mapOf, readYaml, type ScalarNode, scalarOf, type TreeNode } from "../tree/index.ts";
import { everyMap } from "./every-map.ts";

/** Values of a chart: maps with `repository`, which Helm's charts put together with `registry`, `tag` and `digest`, and texts called `image`. */
export const inHelmValues = (root: TreeNode, sink: Sink): void => {
  everyMap(root, sink, (map, path, name) => {
    const repository = repositoryOf(map, name);
    if (repository !== undefined)
      sink.spread(
        "value",
        {
          registry: scalarAt(map, "registry") ?? scalarAt(map, "imageRegistry"),
          repository,
          tag: scalarAt(map, "tag") ?? scalarAt(map, "imageTag"),
          digest: scalarAt(map, "digest") ?? scalarAt(map, "sha"),
        },
        path,
        { isGuess: true },
      );
    for (const { key, value } of map.entries.values())
      if (/image$/i.test(key.text) && value.type === "scalar" && value !== repository && isTelling(value.text))
        sink.whole("value", value, path === "" ? sink.keyText(key) : `${path}.${sink.keyText(key)}`, { isGuess: true });
  });
};

const scalarAt = (map: MapNode, key: string): ScalarNode | undefined => {
  const node = atOf(map, key);
  return node?.type === "scalar" ? node : undefined;
};

/** A repository of git or of charts is no image: those have a scheme, or no tag beside them. */
const repositoryOf = (map: MapNode, name: string): ScalarNode | undefined => {
  const has = (...keys: string[]): boolean => keys.some((key) => scalarAt(map, key) !== undefined);
  const isImage = /image$/i.test(name);
  const isTagged = has("tag", "digest", "sha", "imageTag");
  const repository = scalarOf(atOf(map, "repository"));
  if (repository !== undefined) return isImage || isTagged ? repository : undefined;
  // Istio's name comes after a hub, which is a registry and a path in one.
  if (has("hub")) return undefined;
  const called = scalarOf(atOf(map, "image")) ?? (isImage ? scalarOf(atOf(map, "name")) : undefined);
  return called !== undefined && isTagged && !/[:@]/.test(called.text.replace(/^[^/]*:\d+\//, "")) ? called : undefined;
};

/** Annotations in which a chart lists its images, which is YAML in a text: Artifact Hub's, and Bitnami's. */
export const inHelmChart = (root: TreeNode, sink: Sink): void => {
  for (const { key, value } of mapOf(atOf(root, "annotations"))?.entries.values() ?? []) {
    const list = scalarOf(value);
    if (list === undefined || !/^(?:artifacthub\.io\/)?images$/.test(key.text)) continue;
    const path = `annotations["${key.text}"]`;
    // A block of YAML stands in the file as it is, further to the right.
    for (const { root: images, fault } of readYaml(sink.insideOf(list))) {
      if (fault !== undefined) sink.fault(`${path}: ${fault.message}`, list.start + fault.index, "CONFIG_INVALID");
      if (images?.type !== "list") continue;
      for (const [index, each] of images.items.entries()) {
        const image = scalarOf(atOf(each, "image"));
        if (image === undefined) continue;
        const [start, end] = [list.start + image.start, list.start + image.end];
        sink.whole("annotation", { ...image, start, end }, `${path}[${index}].image`);
      }
    }
  }
};
