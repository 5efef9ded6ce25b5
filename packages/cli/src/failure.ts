import { CommanderError } from "commander";
import { DrayError, exitCodes, isDrayError, printable } from "dray/errors";
import { OutputClosed } from "./output.ts";

/** How a run that did not end well ends: lines for stderr, and the exit code. */
export interface Failure {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

export interface FailureContext {
  /** The command that was being run, as typed: `dray auth login`. */
  readonly command: string;
  /** Whether to show where in the code it happened. */
  readonly verbose: boolean;
  readonly interrupted: boolean;
}

/** Turns whatever was thrown into one line and an exit code. Crane's prefix, `Error: `, is what scripts look for. */
export const failureOf = (error: unknown, { command, verbose, interrupted }: FailureContext): Failure => {
  // Help is thrown too, and is no failure.
  if (error instanceof CommanderError) return { exitCode: error.exitCode, lines: [] };
  if (error instanceof OutputClosed) return { exitCode: 0, lines: [] };
  const trace = verbose ? traceOf(error) : [];
  if (interrupted || isDrayError(error, "ABORTED"))
    return { exitCode: exitCodes.ABORTED, lines: ["Error: interrupted", ...trace] };
  if (!(error instanceof DrayError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { exitCode: 1, lines: [`Error: ${printable(message)}`, ...trace] };
  }
  const message = error.code === "USAGE" ? `${error.message.replace(/\.$/, "")}; see ${command} --help` : error.message;
  return { exitCode: exitCodes[error.code], lines: [`Error: ${message}`, ...trace] };
};

const traceOf = (error: unknown): string[] => {
  if (!(error instanceof Error)) return [];
  const lines = (error.stack ?? "").split("\n").map(printable);
  return error.cause === undefined ? lines : [...lines, "Caused by:", ...traceOf(error.cause)];
};
