import { Argument, type Command } from "commander";
import { DrayError } from "dray/errors";
import type { Call } from "../context.ts";
import { maintained } from "../control-client.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

export const define = (command: Command): void => {
  command.addArgument(new Argument("<on|off>").choices(["on", "off"]));
  servingFlags(command);
};

/** Until the registry ends or its configuration is read again. */
export const act = (call: Call<ServingOptions>, [word, ...words]: readonly string[]): Promise<void> =>
  maintained(call, words, async (client) => {
    const status = await client.ask("status", {}, { signal: call.signal });
    if (status["running"] === false) throw new DrayError("NOT_FOUND", "no registry is running on this folder");
    await client.ask("read-only", { on: word === "on" }, { signal: call.signal });
    await call.out.line(
      word === "on" ? "the registry takes nothing now; it goes on serving" : "the registry takes pushes again",
    );
  });
