import type { Command } from "commander";
import { DrayError, printable } from "dray/errors";
import type { Call } from "../context.ts";
import { maintained } from "../control-client.ts";
import { outputFlag } from "../flags.ts";
import { document } from "../json.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

export const define = (command: Command): void => {
  servingFlags(command).addOption(outputFlag());
};

export const act = (call: Call<ServingOptions>, words: readonly string[]): Promise<void> =>
  maintained(call, words, async (client) => {
    const status = await client.ask("status", {}, { signal: call.signal });
    if (status["running"] === false) throw new DrayError("NOT_FOUND", "no registry is running on this folder");
    if (call.options.output === "json") await call.out.line(document({ status }));
    else
      for (const [name, value] of Object.entries(status))
        await call.out.line(`${name.padEnd(14)}${printable(String(value))}`);
  });
