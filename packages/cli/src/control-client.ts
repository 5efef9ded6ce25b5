import type { ControlClient } from "@dray/server";
import { DrayError } from "dray/errors";
import type { Act, Call, Define } from "./context.ts";
import { outputFlag } from "./flags.ts";
import { type ServingOptions, servingFlags, settingsFor } from "./serve-flags.ts";

/** A command that asks the registry which serves the folder; what it asks is done here where none is running. */
export const asking =
  <Options extends ServingOptions = ServingOptions>(
    work: (client: ControlClient, call: Call<Options>) => Promise<number | void>,
  ): Act<Options> =>
  async (call, words) => {
    const settings = await settingsFor(call, words);
    const { maintain } = await import("@dray/server");
    return maintain(
      settings,
      ({ message }) => call.reporter.warn(message),
      (client) => work(client, call),
    );
  };

/** How a running registry is. @throws DrayError `NOT_FOUND` where none is running */
export const statusOf = async (
  client: ControlClient,
  { signal }: Pick<Call, "signal">,
): Promise<Readonly<Record<string, unknown>>> => {
  const status = await client.ask("status", {}, { signal });
  if (status["running"] === false) throw new DrayError("NOT_FOUND", "no registry is running on this folder");
  return status;
};

/** The flags of a command that asks and lists. */
export const askingFlags: Define = (command) => servingFlags(command).addOption(outputFlag());
