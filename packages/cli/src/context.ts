import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import type { Environment } from "./environment.ts";
import type { SharedOptions } from "./flags.ts";
import type { Output } from "./output.ts";
import type { Reporter, StatusStream } from "./progress/index.ts";
import type { Screen } from "./screen.ts";

/** What surrounds a run: the process, or what a test puts in its place. */
export interface ProcessContext {
  /** A function: the process makes its streams when they are first looked at, and few commands read. */
  readonly stdin: () => Readable;
  readonly stdout: Writable & Screen;
  readonly stderr: StatusStream;
  readonly env: Environment;
  /** Aborted by Ctrl-C. */
  readonly signal?: AbortSignal;
}

/** What a command works with: what was said, and the ways to answer. */
export interface Call<Options extends SharedOptions = SharedOptions> {
  readonly options: Options;
  /** What an option was given as, for messages: `--username`, or `DRAY_USERNAME` where the variable said it. */
  readonly named: (attribute: string) => string;
  readonly env: Environment;
  readonly stdin: () => Readable;
  readonly signal: AbortSignal;
  /** Results. */
  readonly out: Output;
  /** Where `out` writes to: for an archive that is written by somebody else, and how wide it is. */
  readonly stdout: Writable & Screen;
  /** Where somebody at a terminal is asked; all else that goes there goes through `reporter`. */
  readonly stderr: Writable;
  /** Progress, warnings and notes, on stderr. */
  readonly reporter: Reporter;
  /** Done when the command has ended, well or not; the last first. */
  defer(work: () => Promise<void>): void;
}

/** Declares a command's arguments and flags. */
export type Define = (command: Command) => unknown;

/** Does a command's work, with the arguments as words. Returns the exit code where it is not 0. */
export type Act<Options extends SharedOptions = SharedOptions> = (
  call: Call<Options>,
  words: readonly string[],
) => Promise<number | void>;

/** A command: a file of its own under `commands/`, read only when it is asked for. */
export interface CommandModule {
  readonly define: Define;
  /** Lines as they are typed, for its help. */
  readonly examples: readonly string[];
  readonly act: Act<never>;
}

/** A command as help lists it. Its file is read only when it is asked for, so that the others cost nothing to start. */
export type Branch = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
} & (
  | { readonly load: () => Promise<CommandModule>; readonly branches?: readonly Branch[] }
  | { readonly branches: readonly Branch[]; readonly load?: undefined }
);
