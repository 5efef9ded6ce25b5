import {
  countTags,
  historyOf,
  knownFacts,
  type RepositoryState,
  type TagState,
  tagNamed,
  tagsOf,
  type WatchFile,
} from "@dray/watch";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import { parseReference } from "dray/oci";
import type { Act, Call, Define } from "../context.ts";
import { outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import {
  countsOf,
  dbFlag,
  familiarName,
  knownNamed,
  missingText,
  moment,
  openWatch,
  selectionText,
  timeOf,
  type WatchOptions,
} from "../watch/index.ts";

interface ShowOptions extends WatchOptions {
  readonly gone?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("<image>", "a repository, for all its tags; with a tag what that named when")
    .option("--gone", "tags that are not there any more as well")
    .addOption(dbFlag())
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray watch show alpine",
  "dray watch show alpine:3.22",
  "dray watch show --gone -o json alpine",
];

/** What is known of a repository or a tag, and what is wrong with it; nothing is asked of a registry. */
export const act: Act<ShowOptions> = async (call, [text = ""]) => {
  const file = await openWatch(call);
  const { registry, repository, tag } = parseReference(text, { defaultTag: "" });
  const known = knownNamed(file, `${registry}/${repository}`);
  await (tag === undefined || tag === "" ? showRepository(call, file, known) : showTag(call, file, known, tag));
};

const showRepository = async (
  call: Call<ShowOptions>,
  { statements }: WatchFile,
  known: RepositoryState,
): Promise<void> => {
  const { name, looked, listed, listInterval, due, missing, problem, selection } = known;
  const counts = countTags(statements, known.id);
  const tags = tagsOf(statements, known.id, { gone: call.options.gone === true });
  await printResult(
    call,
    defined<Record<string, unknown>>({
      repository: name,
      counts: countsOf(counts),
      selection: selectionText(selection),
      looked: timeOf(looked),
      listed: timeOf(listed),
      listEvery: listInterval === undefined ? undefined : listInterval / 1000,
      due: timeOf(due),
      complete: missing.length === 0 && listed !== undefined,
      missing,
      problem: problem && { ...problem, since: timeOf(problem.since), seen: timeOf(problem.seen) },
      tags: tags.map(documentOf),
    }),
    [
      `${familiarName(name)}: ${counts.tags} tags, ${counts.wanted} selected (${selectionText(selection)}), ${counts.known} known`,
      `looked at ${moment(looked)}, last whole list ${moment(listed)}, next look ${moment(due)}`,
      ...(problem === undefined ? [] : [`problem since ${moment(problem.since)}: ${problem.code}: ${problem.message}`]),
      ...missing.map((each) => `missing: ${missingText(each)}`),
      ...tags.map(lineOf),
    ].map(printable),
  );
};

const documentOf = ({
  tag,
  wanted,
  firstSeen,
  digest,
  since,
  due,
  interval,
  gone,
  lastSeen,
  problem,
}: TagState): Record<string, unknown> =>
  defined<Record<string, unknown>>({
    tag,
    selected: wanted,
    digest,
    firstSeen: timeOf(firstSeen),
    since: timeOf(since),
    due: timeOf(due),
    every: interval === undefined ? undefined : interval / 1000,
    gone: timeOf(gone),
    lastSeen: timeOf(lastSeen),
    problem: problem && { ...problem, since: timeOf(problem.since), seen: timeOf(problem.seen) },
  });

const lineOf = ({ tag, wanted, digest, since, gone, lastSeen, problem }: TagState): string => {
  if (gone !== undefined) return `  ${tag}  gone, last seen ${moment(lastSeen)}`;
  if (problem !== undefined) return `  ${tag}  ${problem.code} since ${moment(problem.since)}: ${problem.message}`;
  if (!wanted) return `  ${tag}  not selected`;
  return digest === undefined ? `  ${tag}  not looked at yet` : `  ${tag}  ${digest}  since ${moment(since)}`;
};

const showTag = async (
  call: Call<ShowOptions>,
  { statements }: WatchFile,
  known: RepositoryState,
  tag: string,
): Promise<void> => {
  const state = tagNamed(statements, known.id, tag);
  const reference = `${known.name}:${tag}`;
  if (state === undefined)
    throw new DrayError("NOT_FOUND", `${familiarName(known.name)} was never seen to have a tag ${tag}`, { reference });
  const history = historyOf(statements, known.id, tag);
  const { entry, released } = knownFacts(statements, known.name, state, Date.now());
  const { info, excluded } = entry ?? {};
  const platforms = info?.platforms?.map(({ platform }) => platform);
  await printResult(
    call,
    defined<Record<string, unknown>>({
      repository: known.name,
      ...documentOf(state),
      created: info?.createdAt,
      released,
      platforms,
      labels: info?.labels,
      excluded: excluded && { reason: excluded.reason, message: excluded.message },
      history: history.map(({ digest, since, until }) => ({ digest, since: timeOf(since), until: timeOf(until) })),
    }),
    [
      `${familiarName(known.name)}:${tag}, first seen ${moment(state.firstSeen)}`,
      lineOf(state),
      ...(released === undefined ? [] : [`released ${released.time}, by its ${released.source}`]),
      ...(platforms === undefined ? [] : [`platforms ${platforms.join(", ")}`]),
      ...(excluded === undefined ? [] : [`left out: ${excluded.message}`]),
      ...history.map(({ digest, since, until }) => `before: ${digest}  from ${moment(since)} to ${moment(until)}`),
    ].map(printable),
  );
};
