import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { opened, rootOf } from "../images.ts";
import { printResult } from "../json.ts";
import { drawTree, treeOf } from "../tree/index.ts";

export const define: Define = (command) =>
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME").addOption(outputFlag());

export const act: Act<ListingOptions> = async (call, [image = ""]) => {
  const located = await opened(call, image);
  const tree = await treeOf(located.store, await rootOf(call, located), { signal: call.signal });
  await printResult(call, { reference: image, root: tree }, drawTree(image, tree));
};
