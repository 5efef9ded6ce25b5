import { printable } from "dray/errors";
import { ProgressMeter } from "./meter.ts";
import { reporterForPeople, statusLine } from "./sentences.ts";
import type { Reporter, ReporterParts } from "./types.ts";

/** Time between two lines of progress: a build log should stay readable, and show that it is not stuck. */
const interval = 10_000;

/** Lines for a log. What takes less than ten seconds shows no progress at all. */
export const plainReporter = (parts: ReporterParts): Reporter => {
  const line = (text: string): void => void parts.stderr.write(`${printable(text)}\n`);
  const meter = new ProgressMeter(parts.clock, interval, () => line(statusLine(meter.state, meter.rate())));
  return reporterForPeople(parts, { line, onProgress: meter.onEvent, end: () => void meter.stop() });
};
