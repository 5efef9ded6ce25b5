import type { Handler } from "dray/http";
import type { RequestLog } from "../log.ts";

/** What a token allows, or a request needs: `repository:library/alpine:pull,push`. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export type TokenVerdict = "ok" | "unknown" | "expired" | "insufficient";

/** A token service as a registry and a test see it. */
export interface TokenServer {
  /** Answers `GET` and `POST` of the token protocol, at any path. */
  readonly handler: Handler;
  readonly log: RequestLog;
  /** Whether a token is known, alive, and allows all of this. */
  check(token: string, needed: readonly Access[]): TokenVerdict;
  /** Ends every token given out so far. */
  expireAll(): void;
}
