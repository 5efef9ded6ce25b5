import { printable } from "dray/errors";
import { drawBars } from "./bars.ts";
import { rateOf, sampled } from "./rate.ts";
import { sentenceOf } from "./sentences.ts";
import { advance, noProgress } from "./state.ts";
import type { Reporter, ReporterParts } from "./types.ts";

/** Time between two pictures. */
const interval = 100;
/** What is over sooner shows no bars: a flash on the screen helps nobody. */
const patience = 400;

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
const clearToEnd = "\u001b[0J";

/** Bars on a terminal, below the lines that stay. */
export const terminalReporter = ({ stderr, clock, quiet, progress }: ReporterParts): Reporter => {
  let state = noProgress;
  let samples = sampled([], 0, clock.now());
  let began: number | undefined;
  let stop: (() => void) | undefined;
  /** Lines of the picture that stands on the screen. */
  let drawn = 0;
  let hidden = false;

  const erase = (): string => {
    const up = drawn === 0 ? "" : `\u001b[${drawn}A\r${clearToEnd}`;
    drawn = 0;
    return up;
  };
  const draw = (): void => {
    if (began === undefined || clock.now() - began < patience) return;
    samples = sampled(samples, state.moved, clock.now());
    const screen = { columns: stderr.columns ?? 80, rows: stderr.rows ?? 24 };
    const lines = drawBars(state, rateOf(samples), screen);
    const start = hidden ? "" : hideCursor;
    hidden = true;
    stderr.write(`${start}${erase()}${lines.join("\n")}\n`);
    drawn = lines.length;
  };
  const line = (text: string): void => void stderr.write(`${erase()}${printable(text)}\n`);
  const restore = (): void => {
    stop?.();
    stop = undefined;
    if (hidden) stderr.write(`${erase()}${showCursor}`);
    hidden = false;
    process.off("exit", restore);
  };
  const begin = (): void => {
    began = clock.now();
    samples = sampled([], 0, began);
    stop = clock.every(interval, draw);
    // A second Ctrl-C exits on the spot; the cursor has to come back all the same.
    process.on("exit", restore);
  };
  return {
    onEvent: (event) => {
      const sentence = sentenceOf(event);
      if (sentence !== undefined && (event.type === "warning" || !quiet)) line(sentence);
      if (!progress) return;
      state = advance(state, event);
      if (event.type === "plan" && began === undefined) begin();
    },
    note: (text) => {
      if (!quiet) line(text);
    },
    warn: (text) => line(`Warning: ${text}`),
    summary: (text) => {
      restore();
      if (!quiet) line(text);
    },
    close: restore,
  };
};
