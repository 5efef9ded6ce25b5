import type { Command } from "commander";
import { DrayError } from "dray/errors";
import type { Call } from "../context.ts";
import { maintained } from "../control-client.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

export const define = (command: Command): void => {
  servingFlags(command);
};

/** The registry reads its configuration, passwords, keys and certificates again. */
export const act = (call: Call<ServingOptions>, words: readonly string[]): Promise<void> =>
  maintained(call, words, async (client) => {
    const status = await client.ask("status", {}, { signal: call.signal });
    if (status["running"] === false) throw new DrayError("NOT_FOUND", "no registry is running on this folder");
    await client.ask("reload", {}, { signal: call.signal });
    await call.out.line("reloaded; its log says what waits for a restart");
  });
