import { allRepositories, countTags } from "@dray/watch";
import { printable } from "dray/errors";
import type { Act, Define } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import {
  countsOf,
  dbFlag,
  familiarName,
  moment,
  nothingYet,
  openWatch,
  selectionText,
  timeOf,
  type WatchOptions,
} from "../watch/index.ts";

export const define: Define = (command) => command.addOption(dbFlag()).addOption(outputFlag());

export const examples: readonly string[] = ["dray watch list", "dray watch list -o json"];

/** What is known of every repository; nothing is asked of a registry. */
export const act: Act<WatchOptions> = async (call) => {
  const { statements } = await openWatch(call);
  const all = allRepositories(statements).map((each) => ({ ...each, counts: countTags(statements, each.id) }));
  if (all.length === 0) call.reporter.note(nothingYet);
  const width = Math.max(0, ...all.map(({ name }) => familiarName(name).length));
  await printResult(
    call,
    {
      repositories: all.map(({ name, counts, looked, listed, due, missing, problem, selection }) => ({
        repository: name,
        counts: countsOf(counts),
        selection: selectionText(selection),
        looked: timeOf(looked),
        listed: timeOf(listed),
        due: timeOf(due),
        complete: missing.length === 0 && listed !== undefined,
        problem: problem && { ...problem, since: timeOf(problem.since), seen: timeOf(problem.seen) },
      })),
    },
    all.map(({ name, counts, looked, problem }) =>
      printable(
        `${familiarName(name).padEnd(width)}  ${String(counts.tags).padStart(6)} tags  looked at ${moment(looked)}${problem === undefined ? "" : `  ${problem.code} since ${moment(problem.since)}`}`,
      ),
    ),
  );
};
