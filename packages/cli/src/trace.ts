import { printable } from "dray/errors";
import type { HeaderPairs, TraceRecord } from "dray/http";

/** One request and its answer as lines for `--verbose`. Secrets were taken out by whoever made the record. */
export const traceLines = (record: TraceRecord): string[] => {
  const { method, url, status, error, duration, sent, received } = record;
  const answer = status === undefined ? `failed: ${error?.message}` : `${status}`;
  const sizes = [
    ...(sent ? [`${sent} bytes sent`] : []),
    ...(received === undefined ? [] : [`${received} bytes to come`]),
  ];
  return [
    printable([`${method} ${url} -> ${answer} after ${Math.round(duration)} ms`, ...sizes].join(", ")),
    ...headerLines(">", record.requestHeaders),
    ...headerLines("<", record.responseHeaders ?? []),
  ];
};

const headerLines = (direction: string, headers: HeaderPairs): string[] =>
  headers.map(([name, value]) => printable(`  ${direction} ${name}: ${value}`));
