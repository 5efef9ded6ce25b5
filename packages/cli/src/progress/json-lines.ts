import type { ProgressEvent } from "dray/content";
import { jsonText } from "../json.ts";
import { rateOf, sampled } from "./rate.ts";
import { advance, bytesThrough, noProgress } from "./state.ts";
import type { Reporter, ReporterParts } from "./types.ts";

/** Time between two `progress` objects. */
const interval = 500;

/** One JSON object to a line, each with an `event` key; described in docs/json.md. */
export const jsonReporter = ({ stderr, clock, quiet, progress }: ReporterParts): Reporter => {
  let state = noProgress;
  let samples = sampled([], 0, clock.now());
  let reported = -1;
  let stop: (() => void) | undefined;
  const line = (event: string, facts: object): void => void stderr.write(`${jsonText({ event, ...facts })}\n`);
  const status = (): void => {
    const through = bytesThrough(state);
    if (through === reported) return;
    reported = through;
    samples = sampled(samples, state.moved, clock.now());
    const rate = rateOf(samples);
    line("progress", {
      bytes: through,
      totalBytes: state.bytes,
      blobs: state.settled,
      totalBlobs: state.blobs,
      fraction: Number(state.fraction.toFixed(4)),
      ...(rate === undefined ? {} : { bytesPerSecond: Math.round(rate) }),
    });
  };
  return {
    onEvent: (event) => {
      if (quiet && event.type !== "warning") return;
      state = advance(state, event);
      if (event.type === "plan" && progress) stop ??= clock.every(interval, status);
      // There are thousands of these; `progress` is their sum.
      if (event.type !== "bytes") line(event.type, factsOf(event));
    },
    note: (message) => {
      if (!quiet) line("note", { message });
    },
    warn: (message) => line("warning", { message }),
    summary: (message, facts) => {
      if (stop !== undefined) status();
      if (!quiet) line("summary", { message, ...facts });
    },
    close: () => {
      if (stop !== undefined) status();
      stop?.();
      stop = undefined;
    },
  };
};

const factsOf = ({ type: _type, ...facts }: ProgressEvent): object => {
  if (!("descriptor" in facts)) return facts;
  const { descriptor, ...rest } = facts;
  return { digest: descriptor.digest, mediaType: descriptor.mediaType, size: descriptor.size, ...rest };
};
