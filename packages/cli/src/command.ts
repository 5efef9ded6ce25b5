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

  /** Scripts written for crane say `--index=true` and `--insecure=false`, as Go's flags allow. */
  override parseOptions(words: string[]): ReturnType<Command["parseOptions"]> {
    const end = words.indexOf("--");
    const flags = end < 0 ? words : words.slice(0, end);
    return super.parseOptions([...flags.flatMap((word) => this.#plain(word)), ...words.slice(flags.length)]);
  }

  #plain(word: string): string[] {
    const match = /^(--[^=]+)=(true|false)$/.exec(word);
    const option = match && this.options.find(({ long }) => long === match[1]);
    if (!option || option.required || option.optional) return [word];
    if (match[2] === "true") return [match[1] as string];
    this.setOptionValueWithSource(option.attributeName(), false, "cli");
    return [];
  }
}
