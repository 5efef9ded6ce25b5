import { printable } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { settingsFor, startingFlags, usableFor } from "../serve-flags.ts";

/** As `serve` would be told. */
export const define: Define = (command) => startingFlags(command).addOption(outputFlag());

export const examples: readonly string[] = ["dray serve check-config config.yml"];

/**
 * Every key with its value and who said it. What `serve` would refuse is an error with all that is wrong, files, folders, addresses
 * and certificates of this machine among it.
 */
export const act: Act = async (call, words) => {
  const { describeSettings, describeText, preflight, remarkText, SettingsInvalid } = await import("@dray/server");
  const said = await settingsFor(call, words).catch((error: unknown) => {
    if (error instanceof SettingsInvalid) return error;
    throw error;
  });
  const { complaints, warnings } = await preflight(await usableFor(call, words));
  for (const warning of warnings) call.reporter.warn(printable(remarkText(warning)));
  const before = said instanceof SettingsInvalid ? said.complaints : [];
  // What is wrong with a key is told once.
  const more = complaints.filter(({ key }) => before.every((each) => each.key !== key));
  if (said instanceof SettingsInvalid || more.length > 0) throw new SettingsInvalid([...before, ...more], warnings);
  const lines = describeText(said)
    .split("\n")
    .filter((line) => line !== "");
  await printResult(call, { settings: describeSettings(said) }, lines.map(printable));
};
