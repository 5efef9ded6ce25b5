import type { Command } from "commander";
import { selectPlatforms } from "dray/content";
import type { Call } from "../context.ts";
import { type ListingOptions, onePlatform, outputFlag } from "../flags.ts";
import { opened } from "../images.ts";
import { printResult } from "../json.ts";
import { drawTree, treeOf } from "../tree/index.ts";

export const define = (command: Command): void => {
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME").addOption(outputFlag());
};

export const act = async (call: Call<ListingOptions>, [image = ""]: readonly string[]): Promise<void> => {
  const { options, signal } = call;
  const platform = onePlatform(options);
  const { store, name } = await opened(call, image);
  const found = await store.resolve(name, { signal });
  const { root } = await selectPlatforms(store, found, platform === undefined ? [] : [platform], { signal });
  const tree = await treeOf(store, root, { signal });
  await printResult(call, { reference: image, root: tree }, drawTree(image, tree));
};
