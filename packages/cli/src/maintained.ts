import type { Call } from "./call.ts";
import { type ServingOptions, settingsFor } from "./serving.ts";

type Maintain = typeof import("@dray/server").maintain;
export type Client = Parameters<Parameters<Maintain>[2]>[0];

/** Asks the registry that serves the volume, or does it here where none is running. */
export const maintained = async <T>(
  call: Call<ServingOptions>,
  words: readonly string[],
  work: (client: Client) => Promise<T>,
): Promise<T> => {
  const settings = await settingsFor(call, words);
  const { maintain } = await import("@dray/server");
  return maintain(settings, ({ message }) => call.reporter.warn(message), work);
};
