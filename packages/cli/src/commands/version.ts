import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { version } from "../version.ts";

export const define: Define = (command) => command.addOption(outputFlag());

export const examples: readonly string[] = ["dray version", "dray version -o json"];

export const act: Act<ListingOptions> = async (call) => {
  const runtime = process.versions.bun === undefined ? `node ${process.versions.node}` : `bun ${process.versions.bun}`;
  await printResult(call, { version, runtime }, version);
};
