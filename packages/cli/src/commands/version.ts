import type { Command } from "commander";
import type { Call } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { version } from "../version.ts";

export const define = (command: Command): void => {
  command.addOption(outputFlag());
};

export const act = async (call: Call<ListingOptions>): Promise<void> => {
  const runtime = process.versions.bun === undefined ? `node ${process.versions.node}` : `bun ${process.versions.bun}`;
  await printResult(call, { version, runtime }, version);
};
