import type { ProgressEvent } from "dray/content";
import { printable } from "dray/errors";
import { formatBytes, formatDuration, plural } from "./figures.ts";
import { bytesThrough, type ProgressState } from "./state.ts";

/** What an event says in plain words, where it is for people and not only for the counters. */
export const sentenceOf = (event: ProgressEvent): string | undefined => {
  switch (event.type) {
    case "retry":
      return printable(
        `${event.what}: ${event.reason}; trying again in ${formatDuration(event.delay)} (attempt ${event.attempt + 1})`,
      );
    case "throttled":
      return printable(`${event.registry} limits the rate; going on in ${formatDuration(event.delay)}`);
    case "warning":
      return `Warning: ${printable(event.message)}`;
    default:
      return undefined;
  }
};

/** The state in one line, for a log: `120 MB of 512 MB (23%), 4 of 11 blobs, 41.0 MB/s, 9.6 s left`. */
export const statusLine = (state: ProgressState, rate: number | undefined): string => {
  const through = bytesThrough(state);
  const parts = [
    `${formatBytes(through)} of ${formatBytes(state.bytes)} (${percent(state)})`,
    `${state.settled} of ${plural(state.blobs, "blob")}`,
  ];
  if (rate !== undefined) parts.push(`${formatBytes(rate)}/s`);
  const left = timeLeft(state, rate);
  if (left !== undefined) parts.push(`${left} left`);
  return parts.join(", ");
};

const percent = ({ fraction }: ProgressState): string => `${Math.floor(fraction * 100)}%`;

/** The time the rest takes at this rate, unless nothing moves. */
const timeLeft = (state: ProgressState, rate: number | undefined): string | undefined => {
  const rest = state.bytes - bytesThrough(state);
  return rate === undefined || rate < 1 || rest === 0 ? undefined : formatDuration((rest / rate) * 1000);
};
