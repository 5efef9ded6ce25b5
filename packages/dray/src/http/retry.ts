import { type DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type Backoff, backoff } from "./backoff.ts";
import { type Clock, systemClock } from "./clock.ts";
import { redactUrl } from "./redact.ts";
import { retryAfter } from "./retry-after.ts";
import { type HttpRequest, type HttpResponse, isContent, type Middleware } from "./types.ts";

export interface RetryOptions {
  /** Attempts in all. Default 5; 1 never repeats. */
  readonly attempts?: number;
  /** Delay after an attempt, where the registry does not say one. */
  readonly delay?: Backoff;
  /** No single wait is longer, in milliseconds: what asks for more is given back as it is. Default 15 minutes. */
  readonly maxWait?: number;
  readonly clock?: Clock;
}

/** nginx says 499 of its own clients, Cloudflare 522 of an origin that did not answer it. */
const transient: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

/** Whether the same request may get another answer later. */
export const isTransient = (status: number): boolean => transient.has(status);

/**
 * Asks again when the network or the registry fails for a moment: cut connections, time-outs, 408, 429, 5xx. `Retry-After` wins over our
 * own delay. A request with a `Body`, or one whose context says `repeatable: false`, is asked once and its failure is the
 * caller's; with `retry: false` only answers are given back as they are.
 *
 * A 429 that can be waited for does not come this far where a budget lies inside: waiting for it takes no attempt.
 */
export const retry =
  ({ attempts = 5, delay = backoff(), maxWait = 900_000, clock = systemClock }: RetryOptions = {}): Middleware =>
  (next) =>
  async (request) => {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(request.signal);
      const outcome = await attempted(next(request));
      const last = attempt >= attempts || !isRepeatable(request);
      if (isDrayError(outcome)) {
        if (last || !outcome.retryable) throw outcome;
      } else if (last || request.context?.retry === false || !isTransient(outcome.status)) return outcome;

      const wait = waitAsked(outcome, clock.now()) ?? delay(attempt, clock.random());
      if (isDrayError(outcome)) {
        if (wait > maxWait) throw outcome;
      } else {
        if (wait > maxWait) return outcome;
        await outcome.body.discard();
      }
      // It may have failed only because it was cancelled, by an error that passes for somebody else.
      throwIfAborted(request.signal);
      request.context?.onEvent?.({
        type: "retry",
        what: request.context.reference ?? `${request.method} ${redactUrl(request.origin + request.target)}`,
        attempt,
        delay: wait,
        reason: isDrayError(outcome) ? outcome.message : `${new URL(outcome.url).host} answered ${outcome.status}`,
      });
      await clock.sleep(wait, request.signal);
    }
  };

/** What the other side wants us to wait, in milliseconds. A token service that refuses is heard of by its error. */
const waitAsked = (outcome: HttpResponse | DrayError, now: number): number | undefined => {
  if (!isDrayError(outcome)) return retryAfter(outcome.headers, now);
  return outcome.retryAfter === undefined ? undefined : Math.max(1_000, outcome.retryAfter * 1_000);
};

/** A failure we know becomes a value; what we do not know is no fault of the network and goes on. */
const attempted = async (answer: Promise<HttpResponse>): Promise<HttpResponse | DrayError> => {
  try {
    return await answer;
  } catch (error) {
    if (isDrayError(error)) return error;
    throw error;
  }
};

/** Whether a request can be sent again as it is. */
export const isRepeatable = (request: HttpRequest): boolean =>
  request.context?.repeatable !== false && (request.body === undefined || isContent(request.body));
