import { printable } from "dray/errors";
import { drawBars } from "./bars.ts";
import { ProgressMeter } from "./meter.ts";
import { reporterForPeople } from "./sentences.ts";
import type { Reporter, ReporterParts } from "./types.ts";

/** Time between two pictures. */
const interval = 100;
/** What is over sooner shows no bars: a flash on the screen helps nobody. */
const patience = 400;

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
const clearToEnd = "\u001b[0J";

/** Bars on a terminal, below the lines that stay. */
export const terminalReporter = (parts: ReporterParts): Reporter => {
  const { stderr, clock } = parts;
  /** Lines of the picture that stands on the screen. */
  let drawn = 0;
  let hidden = false;

  const erase = (): string => {
    const up = drawn === 0 ? "" : `\u001b[${drawn}A\r${clearToEnd}`;
    drawn = 0;
    return up;
  };
  const draw = (): void => {
    if (clock.now() - (meter.began ?? 0) < patience) return;
    const screen = { columns: stderr.columns ?? 80, rows: stderr.rows ?? 24 };
    const lines = drawBars(meter.state, meter.rate(), screen);
    // A second Ctrl-C exits on the spot; the cursor has to come back all the same.
    if (!hidden) process.on("exit", restore);
    stderr.write(`${hidden ? "" : hideCursor}${erase()}${lines.join("\n")}\n`);
    hidden = true;
    drawn = lines.length;
  };
  const restore = (): void => {
    meter.stop();
    if (hidden) stderr.write(`${erase()}${showCursor}`);
    hidden = false;
    process.off("exit", restore);
  };
  const line = (text: string): void => void stderr.write(`${erase()}${printable(text)}\n`);
  const meter = new ProgressMeter(clock, interval, draw);
  return reporterForPeople(parts, { line, onProgress: meter.onEvent, end: restore });
};
