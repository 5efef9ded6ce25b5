/**
 * Progress on stderr, from events: bars for a terminal, lines for a log, JSON for machines, never going backwards.
 * Imports the flags' types; knows no command.
 */
export { reporterFor } from "./reporter.ts";
export type { Reporter, StatusStream } from "./types.ts";
