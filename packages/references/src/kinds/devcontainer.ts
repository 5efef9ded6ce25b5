import type { Sink } from "../sink.ts";
import { atOf, mapOf, scalarOf, type TreeNode } from "../tree/index.ts";

/** The image, and features: those that a registry has are keys.  */
export const inDevcontainer = (root: TreeNode, sink: Sink): void => {
  const image = scalarOf(atOf(root, "image"));
  if (image !== undefined) sink.whole("devcontainer", image, "image", { dialect: "editor" });
  for (const { key } of mapOf(atOf(root, "features"))?.entries.values() ?? [])
    if (/^[^./][^/]*\.[^/]*\/|^localhost[:/]/.test(key.text))
      sink.whole("feature", key, `features["${sink.keyText(key)}"]`, { isGuess: true });
};
