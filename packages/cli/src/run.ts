import type { Command } from "commander";
import { exitCodes, isDrayError } from "dray/errors";
import { branches } from "./commands/index.ts";
import type { Branch, Call, CommandModule, ProcessContext } from "./context.ts";
import { applyEnvironment, givenAs, optionsOf } from "./environment.ts";
import { failureOf } from "./failure.ts";
import type { SharedOptions } from "./flags.ts";
import { Output } from "./output.ts";
import { programOf } from "./program.ts";
import { type Reporter, reporterFor } from "./progress/index.ts";
import { refuseUndecoded } from "./undecoded.ts";

/**
 * Runs the command with these words, as the process would, and returns its exit code. Never throws, never exits.
 * @example await run(["digest", "alpine"], { stdin, stdout, stderr, env: process.env })
 */
export const run = async (words: readonly string[], surroundings: ProcessContext): Promise<number> => {
  const { stdin, stdout, stderr, env, signal = new AbortController().signal } = surroundings;
  const out = new Output(stdout, signal);
  const surrounding = { stdin, stdout, stderr, env, signal, out };
  let path = "dray";
  let verbose = words.includes("-v") || words.includes("--verbose");
  let exitCode = 0;
  const act = async (module: CommandModule, command: Command): Promise<void> => {
    applyEnvironment(command, env);
    const options: SharedOptions = optionsOf(command);
    verbose = options.verbose === true;
    const reporter = reporterFor(options.progress ?? "auto", options.quiet === true, { stderr, env });
    const named = (attribute: string): string => givenAs(command, attribute);
    exitCode = await acted(module, { ...surrounding, options, named, reporter }, command.args);
  };
  try {
    refuseUndecoded(words);
    if (words[0] === "__complete") {
      const { answer } = await import("./completion/index.ts");
      await answer(branches, words.slice(1), {
        ...surrounding,
        named: (attribute) => attribute,
        reporter: reporterFor("none", true, { stderr, env }),
      });
    } else {
      const writeOut = (text: string): void => void out.text(text);
      const onCommand = (name: string): void => void (path = name);
      const said = meant(words);
      const flagsFirst = said[0]?.startsWith("-") === true;
      const { columns } = stdout;
      const program = programOf({ branches: meantBy(words), flagsFirst, act, columns, writeOut, onCommand });
      await program.parseAsync(said, { from: "user" });
    }
    await out.close();
    return exitCode;
  } catch (error) {
    const advice = isDrayError(error) ? await (await import("./advice.ts")).adviceOn(error, words) : "";
    const failure = failureOf(error, { command: path, verbose, interrupted: signal.aborted, advice });
    await out.close().catch(() => {});
    for (const line of failure.lines) stderr.write(`${line}\n`);
    return failure.exitCode;
  }
};

/**
 * The commands that the words may be about: making all of them ready takes as long as many a command itself. All of them
 * where none is named, for help and for proposals.
 */
const meantBy = (words: readonly string[]): readonly Branch[] => {
  if (words[0] === "--version") return branches;
  const named = branches.filter(({ name, aliases = [] }) => [name, ...aliases].some((each) => words.includes(each)));
  return named.length === 0 ? branches : named;
};

/** `dray` alone, `dray auth` alone and `dray help cp` ask for help, as with crane; `dray --version` for the version. */
const meant = (words: readonly string[]): string[] => {
  if (words[0] === "help") return [...words.slice(1), "--help"];
  const [only] = words;
  if (only === "--version") return ["version", ...words.slice(1)];
  const bare = only === undefined || (words.length === 1 && branches.some((each) => !each.load && each.name === only));
  return bare ? [...words, "--help"] : [...words];
};

/** Lets the command work, and what it opened be closed, whichever way it ends. */
const acted = async (module: CommandModule, parts: Omit<Call, "defer">, words: readonly string[]): Promise<number> => {
  const deferred: (() => Promise<void>)[] = [];
  let partly = false;
  const onEvent: Reporter["onEvent"] = (event) => {
    partly ||= event.type === "warning" && event.partial === true;
    parts.reporter.onEvent(event);
  };
  const reporter = { ...parts.reporter, onEvent };
  const call: Call = { ...parts, reporter, defer: (work) => void deferred.push(work) };
  try {
    const exitCode = (await module.act(call as Call<never>, words)) ?? 0;
    // What is not whole was done in part, as far as anybody can tell.
    return exitCode === 0 && partly ? exitCodes.PARTIAL : exitCode;
  } finally {
    parts.reporter.close();
    for (const work of deferred.reverse()) await work();
  }
};
