import { formatBytes, formatDuration, plural } from "@dray/service/figures";
import { printable } from "dray/errors";
import { Outages } from "./outages.ts";
import { bytesThrough, hasNoEnd, type ProgressState } from "./state.ts";
import type { Happening, Reporter, ReporterParts } from "./types.ts";

/** What an event says in plain words, where it is for people and not only for the counters. */
export const sentenceOf = (event: Happening): string | undefined => {
  switch (event.type) {
    case "retry":
      // What to do about it is for whoever is told in the end that it did not help.
      return printable(
        `${short(event.what)}: ${firstClause(event.reason)}; trying again in ${formatDuration(event.delay)} (attempt ${event.attempt + 1})`,
      );
    case "throttled":
      return printable(
        `${event.reason ?? `${event.registry} limits the rate`}; going on in ${formatDuration(event.delay)}`,
      );
    case "warning":
      return `Warning: ${printable(event.message)}`;
    default:
      return undefined;
  }
};

/** As much of a digest as people compare. */
const short = (text: string): string => text.replace(/\b(sha256|sha512):([0-9a-f]{12})[0-9a-f]+/g, "$1:$2");

const firstClause = (reason: string): string => short(reason.split("; ")[0] ?? reason);

/** The fields of the state, the more important first: `120 MB of 512 MB (23%)`, `4 of 11 blobs`, `41.0 MB/s`, `9.6 s left`. */
export const statusParts = (state: ProgressState, rate: number | undefined): string[] => {
  const through = bytesThrough(state);
  const isOpen = hasNoEnd(state);
  const parts = [
    isOpen
      ? `${formatBytes(through)} so far`
      : `${formatBytes(through)} of ${formatBytes(state.bytes)} (${Math.floor(state.fraction * 100)}%)`,
    `${state.settled} of ${plural(state.blobs, "blob")}`,
  ];
  if (rate !== undefined) parts.push(`${formatBytes(rate)}/s`);
  const rest = state.bytes - through;
  if (rate !== undefined && rate >= 1 && rest > 0 && !isOpen)
    parts.push(`${formatDuration((rest / rate) * 1000)} left`);
  return parts;
};

/** The state in one line, for a log. */
export const statusLine = (state: ProgressState, rate: number | undefined): string =>
  statusParts(state, rate).join(", ");

interface Showing {
  readonly line: (text: string) => void;
  readonly onProgress: (event: Happening) => void;
  /** Leaves the terminal as it was. */
  readonly end: () => void;
}

/** What is said to people, in sentences, whatever shows the progress beside them. */
export const reporterForPeople = (
  { quiet, progress, clock }: Pick<ReporterParts, "quiet" | "progress" | "clock">,
  { line, onProgress, end }: Showing,
): Reporter => {
  const outages = new Outages(clock);
  const note = (text: string): void => {
    if (!quiet) line(text);
  };
  return {
    onEvent: (event) => {
      const sentence = outages.isNews(event) ? sentenceOf(event) : undefined;
      if (sentence !== undefined && (event.type === "warning" || !quiet)) line(sentence);
      if (progress) onProgress(event);
    },
    note,
    warn: (text) => line(`Warning: ${text}`),
    summary: (text) => {
      end();
      note(text);
    },
    close: end,
  };
};
