import type { Command, Option } from "commander";
import { DrayCommand } from "./command.ts";
import type { Branch, CommandModule } from "./context.ts";
import { fitted } from "./fitted.ts";
import { sharedFlags } from "./flags.ts";

export interface ProgramParts {
  readonly branches: readonly Branch[];
  /** Takes help text. */
  readonly writeOut: (text: string) => void;
  /** Characters in a line of help. Default 80, as what reads it from a pipe mostly shows. */
  readonly columns?: number | undefined;
  /** Whether flags may stand before the command's name. To know them all takes a while. Default: yes. */
  readonly flagsFirst?: boolean;
  /** Does the work of the command that was asked for. */
  readonly act: (module: CommandModule, command: Command) => Promise<void>;
  /** Hears which command is meant, before its words are read. */
  readonly onCommand: (path: string) => void;
}

const usualColumns = 80;

/** The command line as a tree of commander's commands. */
export const programOf = (parts: ProgramParts): DrayCommand => {
  const { branches, writeOut, columns = usualColumns, flagsFirst, act, onCommand } = parts;
  const program = new DrayCommand("dray");
  program
    .description("Dray moves container images between registries, archives and directories.")
    .configureOutput({
      writeOut: (text) => writeOut(fitted(text, columns)),
      getOutHelpWidth: () => columns,
      getOutHasColors: () => false,
    })
    .exitOverride()
    .addHelpText("after", () => `${explained(program, sharedFlags())}${epilogue}`);
  group(program, branches, { act, onCommand }, flagsFirst);
  return program;
};

/** The global flags below the commands: who looks for a command sees those first. */
const explained = (program: DrayCommand, flags: readonly Option[]): string => {
  const helper = program.createHelp();
  helper.prepareContext({ helpWidth: program.configureOutput().getOutHelpWidth?.() ?? usualColumns });
  const width = Math.max(...flags.map((flag) => helper.optionTerm(flag).length));
  const items = flags.map((flag) =>
    helper.formatItem(helper.optionTerm(flag), width, helper.optionDescription(flag), helper),
  );
  return `\n${helper.formatItemList("Global Options:", items, helper).join("\n")}`;
};

const epilogue = `
Durations are 500ms, 30s, 5m, 1h30m or 30d; a number alone is seconds. Sizes are 4096, 64MiB or 1GB.
Every flag can be set in the environment: --ca-file as DRAY_CA_FILE. Flags win.

Examples:
  dray copy docker.io/library/alpine:3.20 registry.example.com/alpine:3.20
  dray pull --platform linux/arm64 alpine:3.20 alpine.tar
  dray copy --help`;

/** Those that every command takes are explained once. */
const globalFlags = "\nIt takes the global flags too, as --platform and --insecure: dray --help";

type GroupParts = Pick<ProgramParts, "act" | "onCommand">;

const group = (command: DrayCommand, branches: readonly Branch[], parts: GroupParts, flagsFirst = true): void => {
  // Positional: a command's own flags are its own, whatever this level calls the same.
  command.helpCommand(false).enablePositionalOptions();
  if (flagsFirst) for (const flag of sharedFlags()) command.addOption(flag);
  const modules = new Map<Command, CommandModule>();
  for (const branch of branches) {
    const below = command.command(branch.name).summary(branch.summary).description(`${branch.summary}.`);
    for (const alias of branch.aliases ?? []) below.alias(alias);
    if (branch.branches !== undefined) group(below as DrayCommand, branch.branches, parts);
    if (branch.load === undefined) below.addHelpText("after", globalFlags);
  }
  command.hook("preSubcommand", async (_, below) => {
    parts.onCommand((below as DrayCommand).path);
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
  const { examples } = module;
  command.addHelpText("after", `\nExample${examples.length === 1 ? "" : "s"}:\n  ${examples.join("\n  ")}`);
  command.addHelpText("after", globalFlags);
  command.action(() => act(module, command));
};
