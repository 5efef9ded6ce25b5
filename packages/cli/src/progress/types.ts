import type { Writable } from "node:stream";
import type { ProgressEvent } from "dray/content";

/** Where progress is shown: a terminal, or whatever keeps a log. */
export type StatusStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/**
 * What happens while a command works: what the library tells of content that has a digest, and of content that gets one when it has ended, as a file
 * on its way to be a layer. `what` names that; its bytes are those beyond the last event, and 0 in the first.
 */
export type Happening =
  | ProgressEvent
  | {
      readonly type: "ingest";
      readonly what: string;
      readonly bytes: number;
      /** Of all of it, where that is known. */
      readonly size?: number | undefined;
      /** It has ended. */
      readonly done?: boolean;
    };

/** What goes to stderr while a command works and when it has worked. */
export interface Reporter {
  readonly onEvent: (event: Happening) => void;
  /** Something worth knowing on the way. */
  note(text: string): void;
  /** Something that may be wrong. */
  warn(text: string): void;
  /** The end of a command that moved something: a sentence for people, the same as facts for machines. */
  summary(text: string, facts: Readonly<Record<string, unknown>>): void;
  /** Stops drawing and leaves the terminal as it was. */
  close(): void;
}

/** Time, as an argument: what a test turns by hand. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls back again and again, without keeping the process alive; returns what ends it. */
  every(milliseconds: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  every: (milliseconds, work) => {
    const timer = setInterval(work, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** What a reporter is made of. */
export interface ReporterParts {
  readonly stderr: StatusStream;
  readonly clock: Clock;
  /** Keeps progress and summaries to itself. */
  readonly quiet: boolean;
  /** Whether to show progress at all. */
  readonly progress: boolean;
}
