import type { Sink } from "../sink.ts";
import type { MapNode, TreeNode } from "../tree/index.ts";

/** Each map of a tree once, with its path and the key that it is the value of: what aliases name was there before. */
export const everyMap = (root: TreeNode, sink: Sink, act: (map: MapNode, path: string, name: string) => void): void => {
  const seen = new Set<TreeNode>();
  const visit = (node: TreeNode, path: string, name: string): void => {
    if (node.type === "scalar" || seen.has(node)) return;
    seen.add(node);
    if (node.type === "list") {
      for (const [index, item] of node.items.entries()) visit(item, `${path}[${index}]`, name);
      return;
    }
    act(node, path, name);
    for (const { key, value } of node.entries.values()) {
      const text = sink.keyText(key);
      visit(value, path === "" ? text : `${path}.${text}`, text);
    }
  };
  visit(root, "", "");
};
