import { existsSync } from "node:fs";
import type { ControlClient, Notice, Place, Settings } from "@dray/server";
import { DrayError, printable } from "dray/errors";
import type { Act, Call, Define } from "./context.ts";
import { outputFlag } from "./flags.ts";
import { placeFor, type ServingOptions, servingFlags, settingsFor } from "./serve-flags.ts";

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
    const { settings, place, error } = await configured(call, words);
    const { maintain, runningWriter } = await import("@dray/server");
    if (settings === undefined) {
      const client = await runningWriter(place);
      if (client === undefined) throw error;
      tellOf(error, call);
      return work(client, call);
    }
    const how = {
      who: `\`dray serve ${name}\``,
      reads: reads(options),
      signal,
      onNotice: (notice: Notice) => reporter.warn(printable(wordsOf(notice))),
    };
    return maintain(settings, how, (client) => work(client, call));
  };

/** A command that asks a registry that is running. It makes nothing and locks nothing, whether there is one or not. */
export const knocking =
  <Options extends ServingOptions = ServingOptions>(
    work: (client: ControlClient, call: Call<Options>) => Promise<number | void>,
  ): Act<Options> =>
  async (call, words) => {
    const { place, error } = await configured(call, words);
    const { running } = await import("@dray/server");
    const client = await running(place);
    if (client === undefined) throw error ?? nobodyOn(place);
    if (error !== undefined) tellOf(error, call);
    return work(client, call);
  };

/** Whose volume is gone cannot be asked: the socket went with it. */
const nobodyOn = ({ storage }: Place): DrayError => {
  const root = storage.driver === "filesystem" ? storage.root : "";
  return new DrayError(
    "NOT_FOUND",
    existsSync(root)
      ? `no registry is running on ${root}; if its data is elsewhere, name its configuration or --data DIR`
      : `there is no folder ${root}; check the path of the data, and that its volume is mounted: a registry that lost it says so in its log and at /readyz`,
  );
};

type Configured =
  | { readonly settings: Settings; readonly place: Place; readonly error?: undefined }
  | { readonly settings?: undefined; readonly place: Place; readonly error: Error };

/** A registry that runs is found by where its data is, whatever somebody has written into its file since it started. */
const configured = async (call: Call<ServingOptions>, words: readonly string[]): Promise<Configured> => {
  try {
    const settings = await settingsFor(call, words);
    return { settings, place: settings };
  } catch (error) {
    const { SettingsInvalid } = await import("@dray/server");
    const place = error instanceof SettingsInvalid ? await placeFor(call, words) : undefined;
    if (place === undefined) throw error;
    return { place, error: error as Error };
  }
};

/** A log says beside its words what they are about; a line of a terminal says it with them, unless they do. */
const wordsOf = ({ message, repository, digest }: Notice): string => {
  const names = [repository, digest].filter((name) => name !== undefined && !message.includes(name));
  return names.length === 0 ? message : `${message} (${names.join("@")})`;
};

const tellOf = ({ message }: Error, { reporter }: Call): void =>
  reporter.warn(
    printable(
      `the registry that runs goes on with the configuration it has; what is written now cannot be used: ${message}`,
    ),
  );

/** The flags of a command that asks and lists. */
export const askingFlags: Define = (command) => servingFlags(command).addOption(outputFlag());
