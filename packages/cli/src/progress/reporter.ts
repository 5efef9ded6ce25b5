import type { Environment } from "../environment.ts";
import type { ProgressMode } from "../flags.ts";
import { jsonReporter } from "./json-lines.ts";
import { plainReporter } from "./plain.ts";
import { terminalReporter } from "./terminal.ts";
import { type Clock, type Reporter, type StatusStream, systemClock } from "./types.ts";

/** Chooses how to show progress: bars where somebody looks at a terminal, lines where a log is kept. */
export const reporterFor = (
  mode: ProgressMode,
  quiet: boolean,
  { stderr, env }: { readonly stderr: StatusStream; readonly env: Environment },
  clock: Clock = systemClock,
): Reporter => {
  const parts = { stderr, clock, quiet, progress: mode !== "none" && !quiet };
  if (mode === "json") return jsonReporter(parts);
  const terminal = stderr.isTTY === true && env["TERM"] !== "dumb" && !env["CI"];
  return mode === "tty" || (mode === "auto" && terminal) ? terminalReporter(parts) : plainReporter(parts);
};
