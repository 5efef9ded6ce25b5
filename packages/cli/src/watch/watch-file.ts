import { homedir } from "node:os";
import { join } from "node:path";
import { budgetTables, eventTables, ledgerTables, openFile, stateTables, type WatchFile } from "@dray/watch";
import { Option } from "commander";
import type { Call } from "../context.ts";
import type { Environment } from "../environment.ts";
import type { ListingOptions } from "../flags.ts";

/** What every command of a watch can be told. */
export interface WatchOptions extends ListingOptions {
  readonly db?: string;
}

export const dbFlag = (): Option =>
  new Option("--db <file>", "the file of what is known (default $XDG_STATE_HOME/dray/watch.db)");

/** Where it lies where nobody says. Relative paths are ignored, as the specification of these folders wants it. */
const usualFile = (env: Environment): string => {
  const home = env["XDG_STATE_HOME"];
  return join(home?.startsWith("/") ? home : join(env["HOME"] || homedir(), ".local", "state"), "dray", "watch.db");
};

/** The file, open until the command has ended. @throws DrayError `CONFIG_INVALID`, `UNSUPPORTED`, `LOCKED`, `DISK` */
export const openWatch = async (call: Call<WatchOptions>): Promise<WatchFile> => {
  const file = await openFile(call.options.db ?? usualFile(call.env), {
    rooms: [stateTables, eventTables, budgetTables, ledgerTables],
    onNotice: (message) => call.reporter.warn(message),
    signal: call.signal,
  });
  call.defer(async () => file.close());
  return file;
};
