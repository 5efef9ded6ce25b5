import { jsonText } from "../json.ts";
import { ProgressMeter } from "./meter.ts";
import { bytesThrough } from "./state.ts";
import type { Happening, Reporter, ReporterParts } from "./types.ts";

/** Time between two `progress` objects. */
const interval = 500;

/** One JSON object to a line, each with an `event` key; described in docs/json.md. */
export const jsonReporter = ({ stderr, clock, quiet }: ReporterParts): Reporter => {
  let reported = -1;
  const line = (event: string, facts: object): void => void stderr.write(`${jsonText({ event, ...facts })}\n`);
  const status = (): void => {
    const { state } = meter;
    const through = bytesThrough(state);
    if (through === reported) return;
    reported = through;
    const rate = meter.rate();
    line("progress", {
      bytes: through,
      totalBytes: state.bytes,
      blobs: state.settled,
      totalBlobs: state.blobs,
      fraction: Number(state.fraction.toFixed(4)),
      bytesPerSecond: rate === undefined ? undefined : Math.round(rate),
    });
  };
  const meter = new ProgressMeter(clock, interval, status);
  return {
    onEvent: (event) => {
      if (quiet && event.type !== "warning") return;
      meter.onEvent(event);
      // There are thousands of these; `progress` is their sum.
      if (!movesOn(event)) line(event.type, factsOf(event));
    },
    note: (message) => {
      if (!quiet) line("note", { message });
    },
    warn: (message) => line("warning", { message }),
    summary: (message, facts) => {
      if (meter.stop()) status();
      if (!quiet) line("summary", { message, ...facts });
    },
    close: () => {
      if (meter.stop()) status();
    },
  };
};

const movesOn = (event: Happening): boolean =>
  event.type === "bytes" || (event.type === "ingest" && event.bytes > 0 && event.done !== true);

const factsOf = ({ type: _type, ...facts }: Happening): object => {
  if ("what" in facts && "bytes" in facts) return { what: facts.what, size: facts.size, done: facts.done };
  if (!("descriptor" in facts)) return facts;
  const { descriptor, ...rest } = facts;
  return { digest: descriptor.digest, mediaType: descriptor.mediaType, size: descriptor.size, ...rest };
};
