/** The commands that there are, each with the words that it takes. */
import { DrayCommand } from "../src/command.ts";
import { branches } from "../src/commands/index.ts";
import type { Branch } from "../src/context.ts";
import { define } from "../src/program.ts";

/** By path without `dray`, each under its other names, too. A group that does nothing itself is not among them. */
export const allCommands = async (
  list: readonly Branch[] = branches,
  above = "",
): Promise<Map<string, DrayCommand>> => {
  const found = new Map<string, DrayCommand>();
  for (const branch of list) {
    const path = `${above}${branch.name}`;
    if (branch.load !== undefined) {
      const command = new DrayCommand(branch.name);
      define(command, await branch.load(), { act: async () => {} });
      for (const name of [branch.name, ...(branch.aliases ?? [])]) found.set(`${above}${name}`, command);
    }
    for (const [name, command] of await allCommands(branch.branches ?? [], `${path} `)) found.set(name, command);
  }
  return found;
};
