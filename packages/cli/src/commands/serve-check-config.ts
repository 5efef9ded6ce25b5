import { printable } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { settingsFor, startingFlags } from "../serve-flags.ts";

/** As `serve` would be told. */
export const define: Define = (command) => startingFlags(command).addOption(outputFlag());

/**
 * Every key with its value and who said it. What `serve` would refuse is an error with all that is wrong, files, folders, addresses
 * and certificates of this machine among it.
 */
export const act: Act = async (call, words) => {
  const settings = await settingsFor(call, words);
  const { describeSettings, describeText, preflight, remarkText, SettingsInvalid } = await import("@dray/server");
  const { complaints, warnings } = await preflight(settings);
  for (const warning of warnings) call.reporter.warn(printable(remarkText(warning)));
  if (complaints.length > 0) throw new SettingsInvalid(complaints, warnings);
  const lines = describeText(settings)
    .split("\n")
    .filter((line) => line !== "");
  await printResult(call, { settings: describeSettings(settings) }, lines.map(printable));
};
