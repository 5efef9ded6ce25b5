import type { Command } from "commander";
import { printable } from "dray/errors";
import type { Call } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { document } from "../json.ts";
import { type ServingOptions, servingFlags, settingsFor } from "../serve-flags.ts";

export const define = (command: Command): void => {
  servingFlags(command).addOption(outputFlag());
};

/** Every key with its value and who said it. A configuration that cannot be used is an error with all that is wrong. */
export const act = async (call: Call<ServingOptions>, words: readonly string[]): Promise<void> => {
  const settings = await settingsFor(call, words);
  const { describeSettings, describeText } = await import("@dray/server");
  if (call.options.output === "json") await call.out.line(document({ settings: describeSettings(settings) }));
  else for (const line of describeText(settings).split("\n")) if (line !== "") await call.out.line(printable(line));
};
