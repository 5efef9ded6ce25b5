import { Argument, type Command } from "commander";
import { asking, type ServingAct, statusOf } from "../control-client.ts";
import { servingFlags } from "../serve-flags.ts";

export const define = (command: Command): void => {
  servingFlags(command.addArgument(new Argument("<on|off>").choices(["on", "off"])));
};

/** Until the registry ends or its configuration is read again. */
export const act: ServingAct = (call, [word, ...words]) =>
  asking(async (client) => {
    await statusOf(client, call);
    await client.ask("read-only", { on: word === "on" }, { signal: call.signal });
    await call.out.line(
      word === "on" ? "the registry takes nothing now; it goes on serving" : "the registry takes pushes again",
    );
  })(call, words);
