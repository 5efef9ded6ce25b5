import type { Command } from "commander";
import type { Call } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { opened, rootOf } from "../images.ts";
import { printResult } from "../json.ts";
import { drawTree, treeOf } from "../tree/index.ts";

export const define = (command: Command): void => {
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME").addOption(outputFlag());
};

export const act = async (call: Call<ListingOptions>, [image = ""]: readonly string[]): Promise<void> => {
  const located = await opened(call, image);
  const tree = await treeOf(located.store, await rootOf(call, located), { signal: call.signal });
  await printResult(call, { reference: image, root: tree }, drawTree(image, tree));
};
