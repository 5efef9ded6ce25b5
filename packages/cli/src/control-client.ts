import type { ControlClient, Notice } from "@dray/server";
import { DrayError, printable } from "dray/errors";
import type { Act, Call, Define } from "./context.ts";
import { outputFlag } from "./flags.ts";
import { type ServingOptions, servingFlags, settingsFor } from "./serve-flags.ts";

export interface AskingOptions<Options> {
  /** Its name behind `dray serve`, for whoever wants the volume meanwhile. */
  readonly name: string;
  /** Whether it only looks: then it locks nothing and makes nothing. Default: it does not. */
  readonly reads?: (options: Options) => boolean;
}

/** A command that asks the registry which serves the folder; what it asks is done here where none is running. */
export const asking =
  <Options extends ServingOptions = ServingOptions>(
    { name, reads = () => false }: AskingOptions<Options>,
    work: (client: ControlClient, call: Call<Options>) => Promise<number | void>,
  ): Act<Options> =>
  async (call, words) => {
    const { options, reporter, signal } = call;
    const settings = await settingsFor(call, words);
    const { maintain } = await import("@dray/server");
    const how = {
      who: `\`dray serve ${name}\``,
      reads: reads(options),
      signal,
      onNotice: ({ message }: Notice) => reporter.warn(printable(message)),
    };
    return maintain(settings, how, (client) => work(client, call));
  };

/** A command that asks a registry that is running. It makes nothing and locks nothing, whether there is one or not. */
export const knocking =
  <Options extends ServingOptions = ServingOptions>(
    work: (client: ControlClient, call: Call<Options>) => Promise<number | void>,
  ): Act<Options> =>
  async (call, words) => {
    const settings = await settingsFor(call, words);
    const { running } = await import("@dray/server");
    const client = await running(settings);
    if (client === undefined) throw new DrayError("NOT_FOUND", "no registry is running on this folder");
    return work(client, call);
  };

/** The flags of a command that asks and lists. */
export const askingFlags: Define = (command) => servingFlags(command).addOption(outputFlag());
