import { printable } from "dray/errors";
import { rateOf, sampled } from "./rate.ts";
import { sentenceOf, statusLine } from "./sentences.ts";
import { advance, noProgress } from "./state.ts";
import type { Reporter, ReporterParts } from "./types.ts";

/** Time between two lines of progress: a build log should stay readable, and show that it is not stuck. */
const interval = 10_000;

/** Lines for a log. What takes less than ten seconds shows no progress at all. */
export const plainReporter = ({ stderr, clock, quiet, progress }: ReporterParts): Reporter => {
  let state = noProgress;
  let samples = sampled([], 0, clock.now());
  let stop: (() => void) | undefined;
  const line = (text: string): void => void stderr.write(`${printable(text)}\n`);
  const status = (): void => {
    samples = sampled(samples, state.moved, clock.now());
    line(statusLine(state, rateOf(samples)));
  };
  return {
    onEvent: (event) => {
      const sentence = sentenceOf(event);
      if (sentence !== undefined && (event.type === "warning" || !quiet)) line(sentence);
      if (!progress) return;
      state = advance(state, event);
      if (event.type === "plan") stop ??= clock.every(interval, status);
    },
    note: (text) => {
      if (!quiet) line(text);
    },
    warn: (text) => line(`Warning: ${text}`),
    summary: (text) => {
      if (!quiet) line(text);
    },
    close: () => {
      stop?.();
      stop = undefined;
    },
  };
};
