import type { Handler } from "dray/http";
import { matches, type RequestMatch } from "../log.ts";
import { refuse } from "../respond.ts";

export interface RateLimitOptions {
  /** How many requests a window allows. */
  readonly requests: number;
  readonly windowSeconds: number;
  /** Which requests count. Default: all. */
  readonly match?: RequestMatch;
  /** Milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

export interface RateLimit {
  readonly handler: Handler;
  /** Each request that counted: when it came (milliseconds), and how long it was told to wait, if it was refused. */
  readonly seen: readonly { readonly time: number; readonly target: string; readonly retryAfterSeconds?: number }[];
}

/**
 * A handler that allows so many requests in each window, which begins with the first request in it, and answers the rest
 * by 429 with `Retry-After`: whole seconds, rounded up, as the header wants them.
 */
export const rateLimit = (
  handler: Handler,
  { requests, windowSeconds, match = {}, now = Date.now }: RateLimitOptions,
): RateLimit => {
  const seen: { time: number; target: string; retryAfterSeconds?: number }[] = [];
  let windowStart = Number.NEGATIVE_INFINITY;
  let used = 0;
  const limited: Handler = async (request) => {
    if (!matches(match, request)) return handler(request);
    const time = now();
    if (time >= windowStart + windowSeconds * 1000) [windowStart, used] = [time, 0];
    if (used < requests) {
      used++;
      seen.push({ time, target: request.target });
      return handler(request);
    }
    const retryAfterSeconds = Math.ceil((windowStart + windowSeconds * 1000 - time) / 1000);
    seen.push({ time, target: request.target, retryAfterSeconds });
    return refuse(request, 429, "TOOMANYREQUESTS", "too many requests", { "Retry-After": String(retryAfterSeconds) });
  };
  return { handler: limited, seen };
};
