import type { WatchEvent } from "./event.ts";

/** Why a sink will never take what it was given. */
export interface Refusal {
  readonly refused: string;
}

/**
 * A place that hears of events. It answers with a `Refusal` where the same would be refused again, so that it is given up, and throws where it may be
 * taken later: `retryAfter` of a `DrayError` says when, in seconds. No secret is in what it says.
 */
export interface Sink {
  /** Its name in the configuration, the file and the log. */
  readonly name: string;
  /** Tells of one event, or of several as one. Done when the other side has taken them. */
  send(events: readonly WatchEvent[], signal: AbortSignal): Promise<Refusal | undefined>;
  /** Lets go of connections. */
  close?(): Promise<void>;
}
