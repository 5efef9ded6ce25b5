import { Argument } from "commander";
import { printable } from "dray/errors";
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
    // Which one, where a reader stands beside the one that writes.
    const { origin } = await client.ask("status", {}, { signal: call.signal });
    const which = `the registry at ${printable(String(origin))}`;
    await call.out.line(
      word === "on" ? `${which} takes nothing now; it goes on serving` : `${which} takes pushes again`,
    );
  })(call, words);
