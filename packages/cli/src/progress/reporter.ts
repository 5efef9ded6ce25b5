import { printable } from "dray/errors";
import type { Environment } from "../environment.ts";
import type { ProgressMode } from "../flags.ts";
import { jsonReporter } from "./json-lines.ts";
import { ProgressMeter } from "./meter.ts";
import { reporterForPeople, statusLine } from "./sentences.ts";
import { terminalReporter } from "./terminal.ts";
import { type Clock, type Reporter, type ReporterParts, type StatusStream, systemClock } from "./types.ts";

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

/** Time between two lines of progress: a build log should stay readable, and show that it is not stuck. */
const plainInterval = 10_000;

/** Lines for a log. What takes less than ten seconds shows no progress at all. */
const plainReporter = (parts: ReporterParts): Reporter => {
  const line = (text: string): void => void parts.stderr.write(`${printable(text)}\n`);
  const meter = new ProgressMeter(parts.clock, plainInterval, () => line(statusLine(meter.state, meter.rate())));
  return reporterForPeople(parts, { line, onProgress: meter.onEvent, end: () => void meter.stop() });
};
