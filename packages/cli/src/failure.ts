import { CommanderError } from "commander";
import { DrayError, exitCodes, isDrayError, printable, type Remedy, reasonOf } from "dray/errors";
import { errnoBehind } from "dray/internal/files";
import { OutputClosed } from "./output.ts";

/** How a run that did not end well ends: lines for stderr, and the exit code. */
export interface Failure {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/** What a shell says of a program whose reader has gone: neither runtime can be ended by the signal itself. */
const endedBySigpipe = 141;

export interface FailureContext {
  /** The command that was being run, as typed: `dray auth login`. */
  readonly command: string;
  /** Whether to show where in the code it happened. */
  readonly verbose: boolean;
  readonly interrupted: boolean;
  /** What the words have to do with it. */
  readonly advice?: string;
}

/** Interruption of something that can be gone on with. */
export class Interrupted extends DrayError {
  /** What is kept, in words. */
  readonly kept: string;

  constructor(cause: unknown, kept: string) {
    super("ABORTED", "interrupted", { cause });
    this.kept = kept;
  }
}

/** Turns whatever was thrown into one line and an exit code. Crane's prefix, `Error: `, is what scripts look for. */
export const failureOf = (error: unknown, { command, verbose, interrupted, advice = "" }: FailureContext): Failure => {
  // Help is thrown too, and is no failure.
  if (error instanceof CommanderError) return { exitCode: error.exitCode, lines: [] };
  if (error instanceof OutputClosed || isReaderGone(error)) return { exitCode: endedBySigpipe, lines: [] };
  const trace = verbose ? traceOf(error) : [];
  if (interrupted || isDrayError(error, "ABORTED")) {
    const kept = error instanceof Interrupted ? `; ${error.kept}` : "";
    return { exitCode: exitCodes.ABORTED, lines: [`Error: interrupted${kept}`, ...trace] };
  }
  if (!isDrayError(error)) {
    const message = reasonOf(error);
    return { exitCode: 1, lines: [`Error: ${printable(message)}`, ...trace] };
  }
  const said = messageOf(error);
  // Where in the code a word was not understood helps nobody.
  if (error.code === "USAGE")
    return { exitCode: exitCodes.USAGE, lines: [`Error: ${said.replace(/\.$/, "")}; see ${command} --help`] };
  return { exitCode: exitCodes[error.code], lines: [`Error: ${said}${advice && `; ${printable(advice)}`}`, ...trace] };
};

/** Whoever took an archive from standard output, or from a named pipe. */
export const isReaderGone = (error: unknown): boolean => isDrayError(error, "DISK") && errnoBehind(error) === "EPIPE";

/** What the library names by a code, in the words of this command. */
const remedies: Readonly<Record<Remedy, (error: DrayError) => string>> = {
  "log-in": ({ registry }) =>
    `log in with: dray auth login ${registry} (dray auth explain ${registry} tells what was tried)`,
  "trust-authority": () => "trust its authority with --ca-file FILE",
  "trust-certificate": () => "trust it with --ca-file FILE",
  "skip-tls-verify": () => "--insecure skips the check",
  "plain-http": () => "use plain http with --insecure, or another port",
  "follow-plain-http": () => "--insecure follows it, and checks what comes by its digest",
  "choose-platform": ({ code }) =>
    code === "USAGE" ? "name one with --platform OS/ARCH" : "take what is there with --platform OS/ARCH",
  "convert-with-loss": () => "or convert with loss by --lossy",
  "oci-media-types": () => "give it OCI's media types as well, with --media-types oci",
  "name-old-base": () => "name the base that it was built on with --old_base",
  "client-certificate": () => "give one with --cert FILE --key FILE",
  "raise-timeout": () => "try again, or wait longer with --timeout",
  "raise-max-wait": ({ status }) =>
    `${status === 503 ? "" : "log in for a higher limit, "}wait longer with --max-wait, or try again later`,
  "allow-private": ({ host }) => `if that is meant, allow it with --allow-private ${host}`,
  "pull-image": ({ reference = "" }) =>
    `dray ls docker-daemon: lists its images${/^(?:sha256:)?[0-9a-f]{12,}$/.test(reference) ? "" : `, dray copy ${reference} docker-daemon:${reference} brings this one`}`,
  "leave-referrers": () => "leave out --referrers",
};

/** The message of an error with what to do about it. */
export const messageOf = (error: DrayError): string =>
  error.remedy === undefined ? error.message : `${error.message}; ${printable(remedies[error.remedy](error))}`;

const traceOf = (error: unknown): string[] => {
  if (!(error instanceof Error)) return [];
  const lines = (error.stack ?? "").split("\n").map(printable);
  return error.cause === undefined ? lines : [...lines, "Caused by:", ...traceOf(error.cause)];
};
