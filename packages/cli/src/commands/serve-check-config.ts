import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { printResult } from "../json.ts";
import { settingsFor } from "../serve-flags.ts";

export { askingFlags as define } from "../control-client.ts";

/** Every key with its value and who said it. A configuration that cannot be used is an error with all that is wrong. */
export const act: Act = async (call, words) => {
  const settings = await settingsFor(call, words);
  const { describeSettings, describeText } = await import("@dray/server");
  const lines = describeText(settings)
    .split("\n")
    .filter((line) => line !== "");
  await printResult(call, { settings: describeSettings(settings) }, lines.map(printable));
};
