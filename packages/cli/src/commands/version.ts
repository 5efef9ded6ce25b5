import type { Command } from "commander";
import type { Call } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { document } from "../json.ts";
import { version } from "../version.ts";

export const define = (command: Command): void => {
  command.addOption(outputFlag());
};

export const act = async ({ options, out }: Call<ListingOptions>): Promise<void> => {
  const runtime = process.versions.bun === undefined ? `node ${process.versions.node}` : `bun ${process.versions.bun}`;
  await out.line(options.output === "json" ? document({ version, runtime }) : version);
};
