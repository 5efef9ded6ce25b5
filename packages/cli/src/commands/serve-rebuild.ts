import type { Act } from "../context.ts";
import { asking } from "../control-client.ts";
import { printResult } from "../json.ts";

export { askingFlags as define } from "../control-client.ts";

export const examples: readonly string[] = ["dray serve rebuild --data /srv/registry"];

export const act: Act = asking({ name: "rebuild" }, async (client, call) => {
  const counts = await client.ask("rebuild", {}, { signal: call.signal });
  const words = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  await printResult(call, { ...counts }, `the index was made again: ${words.join(", ")}`);
});
