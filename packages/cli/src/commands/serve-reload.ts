import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { knocking } from "../control-client.ts";

export { servingFlags as define } from "../serve-flags.ts";

export const examples: readonly string[] = ["dray serve reload config.yml"];

/** The registry reads its configuration, passwords, keys and certificates again. */
export const act: Act = knocking(async (client, call) => {
  const { restart } = await client.ask("reload", {}, { signal: call.signal });
  const waits = restart.length === 0 ? "" : `; these settings wait for a restart: ${restart.join(", ")}`;
  await call.out.line(printable(`reloaded${waits}`));
});
