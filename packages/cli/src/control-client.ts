import type { ControlClient } from "@dray/server";
import type { Call } from "./context.ts";
import { type ServingOptions, settingsFor } from "./serve-flags.ts";

/** Asks the registry that serves the volume, or does it here where none is running. */
export const maintained = async <T>(
  call: Call<ServingOptions>,
  words: readonly string[],
  work: (client: ControlClient) => Promise<T>,
): Promise<T> => {
  const settings = await settingsFor(call, words);
  const { maintain } = await import("@dray/server");
  return maintain(settings, ({ message }) => call.reporter.warn(message), work);
};
