import { type DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { systemClock } from "./clock.ts";
import { redactUrl } from "./redact.ts";
import { retryAfter } from "./retry-after.ts";
import { type Repetition, RetryBudget, type RetryOptions } from "./retry-budget.ts";
import { type HttpRequest, type HttpResponse, isContent, isTransient, type Middleware } from "./types.ts";

/**
 * Asks again when the network or the registry fails for a moment: cut connections, time-outs, 408, 429, 5xx. `Retry-After` wins over our
 * own delay. Each repetition is drawn from the retry budget in the request's context; a request that brings none gets one of its own. A request
 * with a `Body`, or one whose context says `repeatable: false`, is asked once and its failure is the caller's; with `retry: false` only
 * answers are given back as they are.
 *
 * A 429 that can be waited for does not come this far where a rate limiter lies inside: waiting for it takes no attempt.
 */
export const retry =
  (options: RetryOptions = {}): Middleware =>
  (next) =>
  async (asked) => {
    const { clock = systemClock } = options;
    const budget = asked.context?.retryBudget ?? new RetryBudget(options);
    const request = { ...asked, context: { ...asked.context, retryBudget: budget } };
    const { signal, context } = request;
    for (;;) {
      throwIfAborted(signal);
      const outcome = await attempted(next(request));
      const passes = isDrayError(outcome) ? outcome.retryable : context.retry !== false && isTransient(outcome.status);
      const wait = passes && isRepeatable(request) ? budget.draw(waitAsked(outcome, clock.now())) : undefined;
      if (isDrayError(outcome)) {
        if (wait === undefined) throw outcome;
        await budget.pause(wait, outcome.message, repetition(request));
      } else {
        if (wait === undefined) return outcome;
        await outcome.body.discard();
        await budget.pause(wait, `${new URL(outcome.url).host} answered ${outcome.status}`, repetition(request));
      }
    }
  };

const repetition = ({ method, origin, target, signal, context }: HttpRequest): Repetition => ({
  what: context?.reference ?? `${method} ${redactUrl(origin + target)}`,
  registry: new URL(origin).host,
  signal,
  onEvent: context?.onEvent,
});

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
