import type { WatchSettings } from "@dray/watch";
import { printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Call } from "../context.ts";
import type { WatchOptions } from "./watch-file.ts";

/** What `watch serve` can be told beside its configuration. */
export interface WatchServeOptions extends WatchOptions {
  readonly listen?: string;
  readonly logLevel?: string;
  readonly set?: readonly string[];
}

/**
 * The settings that flags, variables and the file make together. Warnings are told as such.
 * @throws DrayError `CONFIG_INVALID` with everything that is wrong
 */
export const watchSettingsFor = async (
  { options, env, reporter }: Call<WatchServeOptions>,
  file: string | undefined,
): Promise<WatchSettings> => {
  const { loadWatchSettings } = await import("@dray/watch");
  const { remarkText } = await import("@dray/service/config");
  const { db, listen, logLevel, set = [] } = options;
  const named = { "--db": db, "--listen": listen, "--log-level": logLevel };
  const { settings, warnings } = loadWatchSettings(defined({ env, file, flags: { named, set } }));
  for (const warning of warnings) reporter.warn(printable(remarkText(warning)));
  return settings;
};
