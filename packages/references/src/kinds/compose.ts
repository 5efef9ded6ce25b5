import type { Sink } from "../sink.ts";
import { atOf, mapOf, scalarOf, type TreeNode } from "../tree/index.ts";

/** Images of services. One that is built as well is called so, and pulled by nobody. What extends another has its image there. */
export const inCompose = (root: TreeNode, sink: Sink): void => {
  for (const { key, value } of mapOf(atOf(root, "services"))?.entries.values() ?? []) {
    const image = scalarOf(atOf(value, "image"));
    if (image === undefined) continue;
    const build = atOf(value, "build");
    const isBuilt = build !== undefined && (build.type !== "scalar" || build.text !== "");
    sink.whole(isBuilt ? "built" : "service", image, `services.${sink.keyText(key)}.image`, {
      dialect: "shell",
      lookup: (name) => sink.variables[name],
    });
  }
};
