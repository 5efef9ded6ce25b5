import { type Clock, type ConnectionOptions, systemClock } from "dray/http";

/** What sinks take from the program around them. */
export interface SinkContext {
  readonly clock: Clock;
  /** Certificates and proxies. */
  readonly connection?: ConnectionOptions | undefined;
  /** What a command is started with, besides the event. Default: the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

export const defaultContext: SinkContext = { clock: systemClock };
