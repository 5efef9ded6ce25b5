import type { Difference } from "@dray/server";
import type { Command } from "commander";
import { printable } from "dray/errors";
import type { Call } from "../context.ts";
import { maintained } from "../control-client.ts";
import { outputFlag } from "../flags.ts";
import { document, jsonText } from "../json.ts";
import { plural } from "../progress/index.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

export const define = (command: Command): void => {
  servingFlags(command).addOption(outputFlag());
};

/** 1 where index and tree differ. */
export const act = (call: Call<ServingOptions>, words: readonly string[]): Promise<number> =>
  maintained(call, words, async (client) => {
    const { options, out, signal } = call;
    const json = options.output === "json";
    const tell = (difference: Difference): void =>
      void out.line(json ? jsonText({ schemaVersion: 1, difference }) : lineOf(difference));
    const { differences } = await client.ask("check", {}, { signal, onProgress: tell });
    await out.line(
      json
        ? document({ differences })
        : differences === 0
          ? "the index says what the tree says"
          : `${plural(differences, "difference")}; "dray serve rebuild" makes the index again from the tree`,
    );
    return differences === 0 ? 0 : 1;
  });

const words = {
  missing: "is in the tree and not in the index",
  extra: "is in the index and not in the tree",
  different: "differs",
} as const;

const lineOf = ({ repository, kind, name, what }: Difference): string =>
  `${kind} ${printable(repository)}${kind === "repository" ? "" : ` ${printable(name)}`} ${words[what]}`;
