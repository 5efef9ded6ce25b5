import type { Command } from "commander";
import { selectPlatforms } from "dray/content";
import type { Call } from "../context.ts";
import { type ListingOptions, onePlatform, outputFlag } from "../flags.ts";
import { opened } from "../images.ts";
import { document } from "../json.ts";
import { drawTree, treeOf } from "../tree/index.ts";

export const define = (command: Command): void => {
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME").addOption(outputFlag());
};

export const act = async (call: Call<ListingOptions>, [image = ""]: readonly string[]): Promise<void> => {
  const { options, out, signal } = call;
  const platform = onePlatform(options);
  const { store, name } = await opened(call, image);
  const found = await store.resolve(name, { signal });
  const { root } = await selectPlatforms(store, found, platform === undefined ? [] : [platform], { signal });
  const tree = await treeOf(store, root, { signal });
  if (options.output === "json") await out.line(document({ reference: image, root: tree }));
  else for (const line of drawTree(image, tree)) await out.line(line);
};
