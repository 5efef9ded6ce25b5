import type { Handler, HttpRequest } from "dray/http";
import type { Share } from "../memory/index.ts";
import type { Proxies, Strangers } from "./forwarded.ts";
import type { FailedHandshake } from "./handshakes.ts";
import type { Limits } from "./options.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Overflow } from "./overflow.ts";
import type { Silences } from "./silences.ts";
import type { Turns } from "./turns.ts";

/** What all connections of a listener share. */
export interface Context {
  readonly handler: Handler;
  readonly scheme: "http" | "https";
  readonly limits: Required<Omit<Limits, "connections">>;
  readonly proxies: Proxies | undefined;
  readonly strangers: Strangers;
  readonly onHandshake: (failed: FailedHandshake) => void;
  readonly onError: (error: unknown, request: HttpRequest) => void;
  /** Of exchanges that wait for their client, or may. */
  readonly silences: Silences;
  /** At reading bodies. */
  readonly turns: Turns;
  /** What goes out in one turn of the event loop. */
  readonly outgoing: Outgoing;
  /** Memory of what came with headers, before its turn, and where that lies if there is none. */
  readonly early: Share;
  readonly overflow: Overflow;
  /** Memory of answers that wait for their clients. */
  readonly answers: Share;
  /** Requests whose answer is not written yet. */
  answering: number;
  /** Answers close their connection. */
  stopping: boolean;
}

export const defaultLimits: Context["limits"] = {
  headers: 10_000,
  idle: 3_600_000,
  keepAlive: 120_000,
  linger: 10_000,
  headerBytes: 64 * 1024,
  target: 32 * 1024,
};
