import {
  allRepositories,
  Budgets,
  budgetedClients,
  countTags,
  createRefresh,
  type LookResult,
  newestOf,
  parseRepository,
  type Repository,
  repositoryNamed,
  type Selection,
  type WatchFile,
} from "@dray/watch";
import { InvalidArgumentError } from "commander";
import { DrayError, type ErrorCode, exitCodes, printable } from "dray/errors";
import { forEachConcurrent } from "dray/internal/async";
import type { Act, Call, Define } from "../context.ts";
import { count, gather, outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { registriesFor } from "../registries.ts";
import {
  dbFlag,
  familiarName,
  missingText,
  nothingYet,
  openWatch,
  type SelectionOptions,
  selectionOf,
  timeOf,
  type WatchOptions,
} from "../watch/index.ts";

interface ScanOptions extends WatchOptions, SelectionOptions {
  readonly all?: boolean;
  readonly details?: number;
  readonly reserve?: number;
}

export const define: Define = (command) => {
  command
    .argument("[repositories...]", "what to look at, whenever it is due; without any, all that is known and due")
    .option(
      "--match <pattern>",
      "look into these tags alone: a glob such as '1.*', or /expression/; again for more",
      gather,
    )
    .option("--exclude <pattern>", "not into these; again for more", gather)
    .option("--all", "ask what every selected tag names, whenever that is due")
    .option(
      "--details <count>",
      "read manifest and configuration of so many of the newest selected tags (default 10)",
      count,
    )
    .option("--reserve <percent>", "leave so much of what a registry allows to others (default 30%)", percent)
    .addOption(dbFlag())
    .addOption(outputFlag());
};

export const examples: readonly string[] = [
  "dray watch scan alpine redis ghcr.io/team/app",
  "dray watch scan --match '3.*' --exclude '*rc*' alpine",
  "dray watch scan",
];

/** A share, as 30 or 30%. */
const percent = (text: string): number => {
  const number = Number(/^(\d{1,3})%?$/.exec(text)?.[1] ?? Number.NaN);
  if (number > 100 || Number.isNaN(number)) throw new InvalidArgumentError("Expected a percentage from 0 to 100.");
  return number / 100;
};

/** Milliseconds that somebody who has called a command waits for a registry that limits the rate. */
const usualWait = 900_000;
/** Repositories that are looked at at the same time. */
const atOnce = 4;

export const act: Act<ScanOptions> = async (call, words) => {
  const file = await openWatch(call);
  const repositories = words.map(parseRepository);
  const wanted = repositories.length > 0 ? repositories : dueNow(file);
  if (wanted.length === 0)
    call.reporter.note(
      allRepositories(file.statements).length === 0
        ? nothingYet
        : "nothing is due; a repository that is named is looked at all the same",
    );
  const results = await lookedAt(call, file, wanted, repositories.length > 0);
  const incomplete = results.filter(({ complete }) => !complete);
  const lines = results.map((result) => printable(lineOf(file, result)));
  for (const { repository, missing, held } of incomplete) {
    if (held) call.reporter.warn(`${familiarName(repository)}: another process looks at it now`);
    for (const each of missing) call.reporter.warn(`${familiarName(repository)}: ${missingText(each)}`);
  }
  const documents = results.map(({ notBefore, ...result }) => ({ ...result, notBefore: timeOf(notBefore) }));
  await printResult(call, { repositories: documents }, lines);
  if (incomplete.length === 0) return;
  const reason = theOneReason(results);
  if (reason !== undefined) throw reason;
  const message = `${incomplete.length} of ${results.length} repositories were not looked at completely; what is left comes with the next scan`;
  throw new DrayError("PARTIAL", message);
};

/** Why not even a list was had of any repository, where that is the same for all of them. */
const theOneReason = (results: readonly LookResult[]): DrayError | undefined => {
  const [first, ...others] = results.map(({ missing }) => missing.find(({ what }) => what === "list"));
  if (first === undefined || !Object.hasOwn(exitCodes, first.code)) return undefined;
  const isSame = others.every((other) => other?.code === first.code);
  return isSame ? new DrayError(first.code as ErrorCode, first.message) : undefined;
};

const dueNow = (file: WatchFile): Repository[] =>
  allRepositories(file.statements)
    .filter(({ due }) => due <= Date.now())
    .map(({ name }) => parseRepository(name));

const lookedAt = async (
  call: Call<ScanOptions>,
  file: WatchFile,
  repositories: readonly Repository[],
  isNamed: boolean,
): Promise<LookResult[]> => {
  const { options, signal } = call;
  const { keychain, optionsFor } = await registriesFor(call);
  const budgets = new Budgets(file.statements, { reserve: options.reserve ?? 0.3 });
  const maxWait = options.maxWait ?? usualWait;
  const clients = budgetedClients({
    file,
    budgets,
    keychain,
    connect: optionsFor,
    platforms: options.platform,
    maxWait,
  });
  call.defer(() => clients.close());
  const selections = new Map<string, Selection>();
  for (const { text } of repositories)
    selections.set(text, await selectionOf(options, repositoryNamed(file.statements, text)?.selection ?? ""));
  const { details = 10 } = options;
  const refresh = createRefresh({
    file,
    clientFor: (repository) => clients.clientFor(repository),
    wanted: ({ text }) => ({ ...(selections.get(text) as Selection), details: newestOf(details) }),
  });
  const results = new Map<string, LookResult>();
  const now = options.all === true ? "all" : isNamed ? "list" : undefined;
  try {
    await forEachConcurrent(repositories, atOnce, async (repository) => {
      results.set(repository.text, await refresh.look(repository, { now, signal }));
    });
  } finally {
    await file.write((on) => budgets.save(on));
  }
  return [...new Set(repositories.map(({ text }) => text))].flatMap((text) => results.get(text) ?? []);
};

const lineOf = (file: WatchFile, { repository, events }: LookResult): string => {
  const { id = 0 } = repositoryNamed(file.statements, repository) ?? {};
  const { tags, wanted } = countTags(file.statements, id);
  const of = (type: string): number => events.filter((event) => event.type === type).length;
  const news = (["added", "moved", "removed"] as const).flatMap((word) => {
    const number = of(`tag.${word}`);
    return number === 0 ? [] : [`${number} ${word}`];
  });
  const selected = wanted === tags ? "" : ` (${wanted} selected)`;
  return `${familiarName(repository)}  ${tags} tags${selected}  ${news.join(", ") || "no news"}`;
};
