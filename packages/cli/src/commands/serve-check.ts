import type { Difference } from "@dray/server";
import { plural } from "@dray/service/figures";
import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { asking } from "../control-client.ts";
import { printResult } from "../json.ts";

export { askingFlags as define } from "../control-client.ts";

export const examples: readonly string[] = ["dray serve check --data /srv/registry"];

/** 1 where index and tree differ. */
export const act: Act = asking({ name: "check" }, async (client, call) => {
  const onProgress = (difference: Difference): void => void printResult(call, { difference }, lineOf(difference));
  const { differences } = await client.ask("check", {}, { signal: call.signal, onProgress });
  const words =
    differences === 0
      ? "the index says what the tree says"
      : `${plural(differences, "difference")}; "dray serve rebuild" makes the index again from the tree`;
  await printResult(call, { differences }, words);
  return differences === 0 ? 0 : 1;
});

const words = {
  missing: "is in the tree and not in the index",
  extra: "is in the index and not in the tree",
  different: "differs",
} as const;

const lineOf = ({ repository, kind, name, what }: Difference): string =>
  `${kind} ${printable(repository)}${kind === "repository" ? "" : ` ${printable(name)}`} ${words[what]}`;
