import type { Flags, Place, Remark, Settings, UsableSettings } from "@dray/server";
import type { Command } from "commander";
import { printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Call } from "./context.ts";
import { gather, type ListingOptions } from "./flags.ts";

/** What every command about a registry of one's own can be told. */
export interface ServingOptions extends ListingOptions, Pick<Flags, "data" | "set"> {}

/** The configuration, the folder, and any key of the configuration. */
export const servingFlags = (command: Command): Command =>
  command
    .argument("[config.yml]", "configuration of the registry, as CNCF distribution has it")
    .option("--data <folder>", "folder of the registry's data (default ./data)")
    .option("--set <key=value>", "a key of the configuration, such as dray.gc.grace=1h; again for several", gather);

/** What `serve` takes besides, and whoever checks what it would do. */
export const startingFlags = (command: Command): Command =>
  servingFlags(command)
    .option("--listen <address>", "host:port, :port for every interface, unix:path (default 127.0.0.1:5000)")
    .option("--read-only", "serve what is there, take nothing")
    .option("--log-level <level>", "error, warn, info or debug (default info)");

/** Where the data is by what flags, variables and the file say, also where the rest cannot be used; `undefined` where nothing tells. */
export const placeFor = async (
  { options, env }: Call<ServingOptions & Flags>,
  [file]: readonly string[],
): Promise<Place | undefined> => {
  const { locateData } = await import("@dray/server");
  return locateData(defined({ env, flags: options, file }));
};

/** What of the same says something about this machine, also where the rest cannot be used. */
export const usableFor = async (
  { options, env }: Call<ServingOptions & Flags>,
  [file]: readonly string[],
): Promise<UsableSettings> => {
  const { usableSettings } = await import("@dray/server");
  return usableSettings(defined({ env, flags: options, file }));
};

/**
 * The settings that flags, variables and the file make together. Warnings are told as such.
 * @throws DrayError `CONFIG_INVALID` with everything that is wrong
 */
export const settingsFor = async (
  { options, env, reporter }: Call<ServingOptions & Flags>,
  [file]: readonly string[],
): Promise<Settings> => {
  const { loadSettings, remarkText, SettingsInvalid } = await import("@dray/server");
  const warn = (warnings: readonly Remark[]): void => {
    for (const warning of warnings) reporter.warn(printable(remarkText(warning)));
  };
  try {
    const { settings, warnings } = loadSettings({ env, flags: options, ...(file === undefined ? {} : { file }) });
    warn(warnings);
    return settings;
  } catch (error) {
    // Beside what is wrong, so that a second look finds nothing new.
    if (error instanceof SettingsInvalid) warn(error.warnings);
    throw error;
  }
};
