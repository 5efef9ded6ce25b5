import type { Argument, Command, Option } from "commander";
import { printable } from "dray/errors";
import { DrayCommand } from "../command.ts";
import type { Branch } from "../context.ts";
import { applyEnvironment, type Environment, optionsOf } from "../environment.ts";
import { type SharedOptions, sharedFlags } from "../flags.ts";
import { define } from "../program.ts";
import { pathsFor, prefixes } from "./paths.ts";

/** What may stand where somebody is typing. */
export interface Completion {
  /** `words-open`: the word goes on after one of these, so no space follows. `files`: these, and names of files. */
  readonly kind: "words" | "words-open" | "files";
  readonly candidates: readonly Candidate[];
}

export interface Candidate {
  readonly word: string;
  readonly meaning?: string;
}

/** What is asked of registries. Rejects, or is empty, where there is no quick answer. */
export interface Live {
  /** The tags of a repository, for a word such as `localhost:5000/app:1`; the names in a layout for `oci:mirror:`. */
  tags(repository: string, options: SharedOptions): Promise<readonly string[]>;
  /** The repositories of a registry whose names begin so, for a word such as `localhost:5000/te`. */
  repositories(registry: string, start: string, options: SharedOptions): Promise<readonly string[]>;
}

/** The lines that a shell's script reads. */
export const completionLines = ({ kind, candidates }: Completion): string[] => [
  kind,
  ...candidates.map(({ word, meaning }) => printable(word) + (meaning === undefined ? "" : `\t${printable(meaning)}`)),
];

/** Completes the last of these words, which may be empty. Never throws for words that make no sense. */
export const complete = async (
  branches: readonly Branch[],
  typed: readonly string[],
  env: Environment,
  live: Live,
): Promise<Completion> => {
  const words = typed.map((word) => (word === '""' ? "" : word));
  const last = words.at(-1) ?? "";
  const { branch, command, rest } = await descend(branches, words.slice(0, -1));
  const flag = pendingFlag(command, words.at(-2));
  if (flag !== undefined) return valuesOf(flag, last, "");
  const inline = /^(--[^=]+=)(.*)$/.exec(last);
  if (inline) {
    const [, head = "", value = ""] = inline;
    const option = command.options.find(({ long }) => `${long}=` === head);
    return option === undefined ? nothing : valuesOf(option, value, head);
  }
  if (last.startsWith("-")) return fitting(flagsOf(command), last);
  if (branch?.load === undefined) return fitting(subcommands(branch?.branches ?? branches), last);
  const below = rest.length > 0 ? [] : fitting(subcommands(branch.branches ?? []), last).candidates;
  const own = await argument(command, rest, last, env, live);
  return below.length > 0 ? { kind: own.kind, candidates: [...below, ...own.candidates] } : own;
};

const nothing: Completion = { kind: "words", candidates: [] };
const files: Completion = { kind: "files", candidates: [] };

const fitting = (candidates: readonly Candidate[], start: string): Completion => ({
  kind: "words",
  candidates: candidates.filter(({ word }) => word.startsWith(start)),
});

const asCandidates = (words: readonly string[]): Candidate[] => words.map((word) => ({ word }));

const subcommands = (list: readonly Branch[]): Candidate[] =>
  list.map(({ name, summary }) => ({ word: name, meaning: summary }));

const flagsOf = (command: Command): Candidate[] =>
  command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ word: long ?? short ?? "", meaning: description }));

/** Follows the words down the tree; what is left are the words of the command that was found. */
const descend = async (
  branches: readonly Branch[],
  words: readonly string[],
): Promise<{ branch: Branch | undefined; command: Command; rest: readonly string[] }> => {
  let branch: Branch | undefined;
  let command = group();
  let rest: readonly string[] = [];
  for (const [i, word] of words.entries()) {
    if (word.startsWith("-") || pendingFlag(command, words[i - 1]) !== undefined) continue;
    const below: Branch | undefined = (branch === undefined ? branches : branch.branches)?.find(
      ({ name, aliases }) => name === word || aliases?.includes(word),
    );
    if (below === undefined) break;
    branch = below;
    if (below.load === undefined) continue;
    command = new DrayCommand(below.name);
    define(command, await below.load(), { act: async () => {} });
    rest = words.slice(i + 1);
  }
  return { branch, command, rest };
};

const group = (): Command => {
  const command = new DrayCommand("dray");
  for (const flag of sharedFlags()) command.addOption(flag);
  return command;
};

/** The flag whose value comes next, if the word before is one that wants a value. */
const pendingFlag = (command: Command, before: string | undefined): Option | undefined =>
  before === undefined
    ? undefined
    : command.options.find((option) => option.required && (option.long === before || option.short === before));

const valuesOf = (option: Option, start: string, head: string): Completion => {
  if (/<(?:file|path|folder)>$/.test(option.flags)) return files;
  const values = option.argChoices ?? (option.long === "--platform" ? commonPlatforms : []);
  return fitting(asCandidates(values.map((value) => head + value)), head + start);
};

const commonPlatforms = "all linux/amd64 linux/arm64 linux/arm/v7 linux/s390x linux/ppc64le windows/amd64".split(" ");

/** An argument by its name in the command's usage. */
const argument = async (
  command: Command,
  rest: readonly string[],
  last: string,
  env: Environment,
  live: Live,
): Promise<Completion> => {
  const { operands } = understood(command, rest);
  const declared = command.registeredArguments[operands.length] ?? command.registeredArguments.at(-1);
  if (declared === undefined || (operands.length >= command.registeredArguments.length && !declared.variadic))
    return nothing;
  if (declared.argChoices !== undefined) return fitting(asCandidates(declared.argChoices), last);
  return named(declared, operands.length, last, async (ask) => {
    applyEnvironment(command, env);
    return ask(live, optionsOf(command));
  });
};

type Ask = (ask: (live: Live, options: SharedOptions) => Promise<readonly string[]>) => Promise<readonly string[]>;

/** What an argument of such a name may be. */
const named = async (declared: Argument, before: number, last: string, ask: Ask): Promise<Completion> => {
  const name = declared.name();
  const isPath = name === "path" || name.endsWith(".yml") || (name.endsWith("-and-path") && before > 0);
  const isImage = /image|location/.test(name);
  const isLocation = isImage || /^(?:path|repository)$/.test(name);
  if (isLocation) {
    const paths = await pathsFor(last);
    if (paths !== undefined) return { kind: "words-open", candidates: asCandidates(paths) };
  }
  const tags = isImage ? await tagsFor(last, ask) : [];
  if (tags.length > 0) return { kind: "words", candidates: tags };
  const repositories = isImage || /repository|blob/.test(name) ? await repositoriesFor(last, ask) : [];
  if (repositories.length > 0)
    return { kind: name === "repository" ? "words" : "words-open", candidates: repositories };
  if (isPath) return files;
  return isLocation ? { ...fitting(asCandidates(prefixes), last), kind: "words-open" } : nothing;
};

const understood = (command: Command, words: readonly string[]): { operands: string[] } => {
  try {
    return command.parseOptions([...words]);
  } catch {
    // A flag with a wrong value: the rest is as good as not typed yet.
    return { operands: [] };
  }
};

/** Tags are offered once a colon says that one is wanted: before it nobody knows where the repository's name ends. */
const tagsFor = async (word: string, ask: Ask): Promise<Candidate[]> => {
  const match = /^([^@]*[^:/@]):([A-Za-z0-9._-]*)$/.exec(word);
  if (match === null) return [];
  const [, repository = "", start = ""] = match;
  // What begins like this is a host, and its port comes next.
  const isPath = prefixes.some((prefix) => repository.startsWith(prefix));
  if (!isPath && /^(localhost|[^/]*[.\]][^/]*)$/.test(repository)) return [];
  const tags = await orNothing(ask((live, options) => live.tags(repository, options)));
  return asCandidates(tags.filter((tag) => tag.startsWith(start)).map((tag) => `${repository}:${tag}`));
};

/** Repositories of a registry that is named: Docker Hub, which is meant otherwise, does not list them. */
const repositoriesFor = async (word: string, ask: Ask): Promise<Candidate[]> => {
  const [, host, start = ""] = /^((?:localhost|[^/@]*[.:\]][^/@]*))\/([a-z0-9._/-]*)$/.exec(word) ?? [];
  // A folder is no host.
  if (host === undefined || host.startsWith(".")) return [];
  const names = await orNothing(ask((live, options) => live.repositories(host, start, options)));
  return asCandidates(names.filter((name) => name.startsWith(start)).map((name) => `${host}/${name}`));
};

/** No registry, no leave, no such repository: there is just nothing to offer. */
const orNothing = (names: Promise<readonly string[]>): Promise<readonly string[]> => names.catch(() => []);
