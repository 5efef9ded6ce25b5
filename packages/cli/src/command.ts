import { Command, type ErrorOptions, type HelpContext } from "commander";
import { DrayError } from "dray/errors";
import { commandElsewhere, flagElsewhere } from "./synonyms.ts";

/** Commander's older way to change help. */
type Rewrite = (text: string) => string;

/** Commander's command, with habits of ours. */
export class DrayCommand extends Command {
  override createCommand(name?: string): DrayCommand {
    return new DrayCommand(name);
  }

  /** As it is typed: `dray auth login`. */
  get path(): string {
    return this.parent === null ? this.name() : `${(this.parent as DrayCommand).path} ${this.name()}`;
  }

  /** Every usage error comes through here. Thrown as a value, so that one place turns errors into lines and exit codes. */
  override error(message: string, { code }: ErrorOptions = {}): never {
    // What was said to an unknown flag may be a secret.
    const said = message
      .replace(/^error: /, "")
      .replaceAll("\n", " ")
      .replace(/^(unknown option '-[^=']+)=.*?'(?= \(|$)/, "$1'");
    const hint = this.#hint(said, code);
    // What is known to be meant wins over what is spelt alike.
    const text = hint === undefined ? said : `${said.replace(/ \(Did you mean .*\)$|\.$/, "")}; ${hint}`;
    throw new DrayError("USAGE", text);
  }

  /** Help that nobody asked for is a usage error of one line. */
  override help(context?: HelpContext | Rewrite): never {
    const version = this.opts()["verbose"] === true ? "; -v is --verbose, and the version is told by dray version" : "";
    if (typeof context === "object" && context.error) return this.error(`name a command${version}`);
    return super.help(context as HelpContext);
  }

  /** Help for a command that is not there says so; of one that is there it leaves to the others what they tell together. */
  override outputHelp(context?: HelpContext | Rewrite): void {
    const [word] = this.args;
    if (
      this.commands.length > 0 &&
      this.registeredArguments.length === 0 &&
      word !== undefined &&
      !word.startsWith("-")
    )
      this.error(`unknown command '${word}'`, { code: "commander.unknownCommand" });
    for (const option of this.options) if (option.helpGroupHeading !== undefined) option.hideHelp();
    super.outputHelp(context as HelpContext);
  }

  #hint(said: string, code: string | undefined): string | undefined {
    if (code === "commander.unknownOption") {
      const [, flag = ""] = /'([^']*)'/.exec(said) ?? [];
      const isGroup = this.commands.length > 0;
      return flagElsewhere(flag, (name) => isGroup || this.options.some(({ long }) => long === name));
    }
    if (code === "commander.missingArgument") return `write ${this.path} ${this.usage().replace("[options] ", "")}`;
    if (code !== "commander.unknownCommand" && code !== "commander.excessArguments") return undefined;
    return commandElsewhere(`${this.path} ${this.args[0]}`.replace(/^dray /, ""));
  }

  /** Scripts written for crane say `--index=true`, `--insecure=false`, `-O=true` and `-j=8`, as Go's flags allow. */
  override parseOptions(words: string[]): ReturnType<Command["parseOptions"]> {
    const end = words.indexOf("--");
    const flags = end < 0 ? words : words.slice(0, end);
    return super.parseOptions([...flags.flatMap((word) => this.#plain(word)), ...words.slice(flags.length)]);
  }

  #plain(word: string): string[] {
    const [, name, value] = /^(--[^=]+|-[^-=]+)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined) return [word];
    // Of several letters together the last one has the value.
    const [flag, others] = name.startsWith("--") ? [name, []] : [`-${name.at(-1)}`, name.slice(1, -1).split("")];
    const option = this.options.find(({ long, short }) => flag === long || flag === short);
    const isAlone = others.every((letter) =>
      this.options.some(({ short, required, optional }) => short === `-${letter}` && !required && !optional),
    );
    if (option === undefined || !isAlone) return [word];
    const before = others.map((letter) => `-${letter}`);
    if (option.required || option.optional) return [...before, flag === option.long ? word : `${flag}${value}`];
    const said = /^(?:(1|t|true)|(0|f|false))$/i.exec(value);
    if (said === null) return this.error(`option '${word}': expected true or false`);
    if (said[1] !== undefined) return [...before, flag];
    this.setOptionValueWithSource(option.attributeName(), false, "cli");
    return before;
  }
}
