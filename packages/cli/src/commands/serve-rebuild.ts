import type { Command } from "commander";
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
    const counts = (await client.ask("rebuild", {}, { signal: call.signal })) as Record<string, number>;
    await call.out.line(
      call.options.output === "json"
        ? document(counts)
        : `the index was made again: ${Object.entries(counts)
            .map(([kind, count]) => `${count} ${kind}`)
            .join(", ")}`,
    );
  });
