import { Command } from "commander";
import { DrayError } from "dray/errors";

/** Commander's command, with two habits of ours. */
export class DrayCommand extends Command {
  override createCommand(name?: string): DrayCommand {
    return new DrayCommand(name);
  }

  /** Every usage error comes through here. Thrown as a value, so that one place turns errors into lines and exit codes. */
  override error(message: string): never {
    throw new DrayError("USAGE", message.replace(/^error: /, "").replaceAll("\n", " "));
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
    if (said === null) return [word];
    if (said[1] !== undefined) return [...before, flag];
    this.setOptionValueWithSource(option.attributeName(), false, "cli");
    return before;
  }
}
