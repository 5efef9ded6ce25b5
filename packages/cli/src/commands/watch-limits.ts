import { type BudgetLimits, Budgets } from "@dray/watch";
import { printable } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { dbFlag, openWatch, type WatchOptions } from "../watch/index.ts";

export const define: Define = (command) => command.addOption(dbFlag()).addOption(outputFlag());

export const examples: readonly string[] = ["dray watch limits", "dray watch limits -o json"];

/** What registries have said is left, to whom; nothing is asked of them. */
export const act: Act<WatchOptions> = async (call) => {
  const { statements } = await openWatch(call);
  const limits = new Budgets(statements).limits(Date.now());
  await printResult(
    call,
    { limits },
    limits.map((each) => printable(lineOf(each))),
  );
};

const lineOf = ({ registry, identity, limit, remaining, windowSeconds, limitedUntil, asOf }: BudgetLimits): string => {
  const who = identity === "" ? registry : `${registry} as ${identity}`;
  const of = limit === undefined ? "" : ` of ${limit}`;
  const window = windowSeconds === undefined ? "" : ` in ${windowSeconds} s`;
  const left = remaining === undefined ? "tells no limit" : `${remaining}${of} left${window}, as of ${asOf}`;
  return `${who}  ${left}${limitedUntil === undefined ? "" : `; not asked before ${limitedUntil}`}`;
};
