import type { Command, Option } from "commander";
import { DrayError } from "dray/errors";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that stands for a flag: `--ca-file` is `DRAY_CA_FILE`. */
export const variableOf = (option: Option): string => `DRAY_${option.name().replaceAll("-", "_").toUpperCase()}`;

/**
 * Sets every flag of a command that was not given and whose variable is there; an empty variable is none. Flags win,
 * also those given before the command's name.
 * @throws DrayError `USAGE` naming the variable.
 */
export const applyEnvironment = (command: Command, env: Environment): void => {
  for (const option of command.options) {
    const text = env[variableOf(option)];
    const attribute = option.attributeName();
    const said = lineage(command).some((each) => each.getOptionValueSource(attribute) === "cli");
    if (text && !said) command.setOptionValueWithSource(attribute, valueOf(option, text), "env");
  }
};

/** What was said, whichever command carries it: the closest wins. */
export const optionsOf = (command: Command): Record<string, unknown> =>
  Object.assign({}, ...lineage(command).map((each) => each.opts()));

/** What a value was given as: `--username`, or the variable that stands for it. */
export const givenAs = (command: Command, attribute: string): string => {
  // The commands above carry the flag as well, where it may stand before this one's name.
  const carriers = lineage(command).reverse();
  const said = carriers.find((each) => each.getOptionValueSource(attribute) !== undefined) ?? command;
  const option = said.options.find((other) => other.attributeName() === attribute);
  if (option === undefined) return attribute;
  return said.getOptionValueSource(attribute) === "env" ? variableOf(option) : `--${option.name()}`;
};

const lineage = (command: Command): Command[] =>
  command.parent === null ? [command] : [...lineage(command.parent), command];

const valueOf = (option: Option, text: string): unknown => {
  if (!option.required && !option.optional) return truth(option, text) !== option.negate;
  if (option.parseArg === undefined) return text;
  try {
    return option.parseArg<unknown>(text, undefined);
  } catch (error) {
    throw new DrayError(
      "USAGE",
      `${variableOf(option)}="${text}": ${error instanceof Error ? error.message : "is wrong"}`,
    );
  }
};

const truth = (option: Option, text: string): boolean => {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new DrayError("USAGE", `${variableOf(option)}="${text}": expected true or false`);
};
