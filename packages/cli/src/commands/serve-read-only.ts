import { Argument } from "commander";
import type { Act, Define } from "../context.ts";
import { knocking } from "../control-client.ts";
import { servingFlags } from "../serve-flags.ts";

export const define: Define = (command) =>
  servingFlags(command.addArgument(new Argument("<on|off>").choices(["on", "off"])));

export const examples: readonly string[] = ["dray serve read-only on"];

/** Until the registry ends, or the other is said. */
export const act: Act = (call, [word, ...words]) =>
  knocking(async (client) => {
    await client.ask("read-only", { on: word === "on" }, { signal: call.signal });
    await call.out.line(
      word === "on" ? "the registry takes nothing now; it goes on serving" : "the registry takes pushes again",
    );
  })(call, words);
