import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { knocking } from "../control-client.ts";
import { printResult } from "../json.ts";

export { askingFlags as define } from "../control-client.ts";

export const act: Act = knocking(async (client, call) => {
  const status = await client.ask("status", {}, { signal: call.signal });
  const lines = Object.entries(status).map(([name, value]) => `${name.padEnd(14)}${printable(String(value))}`);
  await printResult(call, { status }, lines);
});
