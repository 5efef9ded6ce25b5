import type { Command } from "commander";
import { DrayCommand } from "./command.ts";
import type { Branch, CommandModule } from "./context.ts";
import { sharedFlags } from "./flags.ts";

export interface ProgramParts {
  readonly branches: readonly Branch[];
  /** Takes help text. */
  readonly writeOut: (text: string) => void;
  /** Characters in a line of help. */
  readonly columns?: number | undefined;
  /** Whether flags may stand before the command's name. To know them all takes a while. Default: yes. */
  readonly flagsFirst?: boolean;
  /** Does the work of the command that was asked for. */
  readonly act: (module: CommandModule, command: Command) => Promise<void>;
  /** Hears which command is meant, before its words are read. */
  readonly onCommand: (path: string) => void;
}

/** The command line as a tree of commander's commands. */
export const programOf = ({ branches, writeOut, columns, flagsFirst, act, onCommand }: ProgramParts): DrayCommand => {
  const program = new DrayCommand("dray");
  program
    .description("Dray moves container images between registries, archives and directories.")
    .configureOutput({ writeOut, getOutHelpWidth: () => columns ?? 100, getOutHasColors: () => false })
    .exitOverride()
    .addHelpText("after", epilogue);
  group(program, branches, { act, onCommand }, flagsFirst);
  return program;
};

const epilogue = `
Use "dray COMMAND --help" for more about a command, and the flags that every command takes.
Every flag can be set in the environment: --ca-file as DRAY_CA_FILE. Flags win.`;

type GroupParts = Pick<ProgramParts, "act" | "onCommand">;

const group = (command: DrayCommand, branches: readonly Branch[], parts: GroupParts, flagsFirst = true): void => {
  // Positional: a command's own flags are its own, whatever this level calls the same.
  command.helpCommand(false).enablePositionalOptions();
  // Understood here too, and shown where they matter: by each command's own help.
  if (flagsFirst) for (const flag of sharedFlags()) command.addOption(flag.hideHelp());
  const modules = new Map<Command, CommandModule>();
  for (const branch of branches) {
    const below = command.command(branch.name).summary(branch.summary).description(`${branch.summary}.`);
    for (const alias of branch.aliases ?? []) below.alias(alias);
    if (branch.branches !== undefined) group(below as DrayCommand, branch.branches, parts);
  }
  command.hook("preSubcommand", async (_, below) => {
    parts.onCommand(pathOf(below));
    const branch = branches.find(({ name }) => name === below.name());
    if (branch?.load === undefined || modules.has(below)) return;
    const module = await branch.load();
    modules.set(below, module);
    define(below, module, parts);
  });
};

/** Gives a command its arguments and flags. */
export const define = (command: Command, module: CommandModule, { act }: Pick<ProgramParts, "act">): void => {
  command.helpCommand(false).allowExcessArguments(false);
  module.define(command);
  const own = new Set(command.options.map(({ long }) => long));
  for (const flag of sharedFlags()) if (!own.has(flag.long)) command.addOption(flag);
  command.action(() => act(module, command));
};

/** A command as it is typed: `dray auth login`. */
const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
