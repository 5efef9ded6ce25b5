import { Argument } from "commander";
import type { Act, Define } from "../context.ts";
import { asking, statusOf } from "../control-client.ts";
import { servingFlags } from "../serve-flags.ts";

export const define: Define = (command) =>
  servingFlags(command.addArgument(new Argument("<on|off>").choices(["on", "off"])));

/** Until the registry ends or its configuration is read again. */
export const act: Act = (call, [word, ...words]) =>
  asking(async (client) => {
    await statusOf(client, call);
    await client.ask("read-only", { on: word === "on" }, { signal: call.signal });
    await call.out.line(
      word === "on" ? "the registry takes nothing now; it goes on serving" : "the registry takes pushes again",
    );
  })(call, words);
