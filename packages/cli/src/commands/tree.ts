import { DrayError } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { openedToRead, rootOf } from "../images.ts";
import { printResult } from "../json.ts";
import { drawTree, treeOf } from "../tree/index.ts";

export const define: Define = (command) =>
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME").addOption(outputFlag());

export const examples: readonly string[] = ["dray tree ghcr.io/team/app:1.0", "dray tree oci:mirror:alpine"];

export const act: Act<ListingOptions> = async (call, [image = ""]) => {
  const located = await openedToRead(call, image);
  const { root, faults } = await treeOf(located.store, await rootOf(call, located), { signal: call.signal });
  await printResult(call, { reference: image, root }, drawTree(image, root, call.stdout));
  const [first] = faults;
  if (first === undefined) return;
  const others = faults.length === 1 ? "" : `, and ${faults.length - 1} more of it`;
  throw new DrayError("PARTIAL", `not all of ${image} could be read: ${first.message}${others}`, { reference: image });
};
