import { type Body, type Content, transfersAs } from "../content/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Applicant, RateLimiter, readRateLimit } from "./rate-limiter.ts";
import { isRepeatable } from "./retry.ts";
import { retryAfter } from "./retry-after.ts";
import { type HttpRequest, isContent, type Middleware } from "./types.ts";

/** How much may be asked of one registry at a time, and how long a request waits for that. */
export interface BudgetOptions {
  /** Requests to one registry that may wait for their answer at the same time. Default 32. */
  readonly concurrency?: number;
  /** The longest wait for one request in milliseconds, counted from the first time it was told to wait. Default 15 minutes. */
  readonly maxWait?: number;
  /** Requests with the same identity share a limit. Default: their origin. */
  readonly identity?: (request: HttpRequest) => string;
  readonly clock?: Clock;
}

/** From this size on a request holds its permit only until its body is asked for: its header has been taken, and the rest is bandwidth. */
const largeBody = 1 << 20;

/**
 * Request budget of a registry and identity: keeps to what it allows. A 429, or a 503 that says when to come back, stops everybody until
 * then; a request that was told 429 waits and is sent again, which takes no attempt of a retry budget. What is left by `RateLimit-*` slows us
 * down before it comes to that. A permit is held from the request to the headers of its answer.
 * @throws DrayError `RATE_LIMITED` with `retryAfter` (seconds) where the wait would be longer than `maxWait`.
 */
export const budget = (options: BudgetOptions = {}): Middleware => {
  const { concurrency = 32, maxWait = 900_000, identity = ({ origin }) => origin, clock = systemClock } = options;
  const limiters = new Map<string, RateLimiter>();
  let order = 0;

  const limiterOf = (request: HttpRequest): RateLimiter => {
    const key = identity(request);
    const limiter = limiters.get(key) ?? new RateLimiter({ registry: hostOf(request), concurrency, maxWait, clock });
    limiters.set(key, limiter);
    return limiter;
  };

  return (next) => async (request) => {
    const limiter = limiterOf(request);
    const applicant: Applicant = { order: order++ };
    for (;;) {
      const permit = await limiter.acquire(applicant, request.signal);
      const release = once(() => limiter.release());
      try {
        const response = await next(releasingEarly(request, release));
        const now = clock.now();
        const left = readRateLimit(response.headers, now);
        if (left !== undefined) limiter.remains(left);
        const { status } = response;
        const wait = status === 429 || status === 503 ? retryAfter(response.headers, now) : undefined;
        if (status !== 429 && wait === undefined) {
          if (status < 500) limiter.succeeded(permit);
          return response;
        }
        const limited = limiter.limited(permit, applicant, wait);
        if (limited.news)
          request.context?.onEvent?.({ type: "throttled", registry: hostOf(request), delay: limited.wait });
        if (status === 503 || !isRepeatable(request) || request.context?.retry === false) return response;
        await response.body.discard();
      } finally {
        release();
      }
    }
  };
};

const hostOf = ({ origin }: HttpRequest): string => origin.replace(/^[a-z]+:\/\//, "");

const once = (action: () => void): (() => void) => {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
};

/** The request with a large body that gives up its permit when it is asked for. */
const releasingEarly = (request: HttpRequest, release: () => void): HttpRequest => {
  const { body } = request;
  if (body === undefined || ((isContent(body) ? body.size : body.length) ?? Infinity) < largeBody) return request;
  return { ...request, body: isContent(body) ? watchedContent(body, release) : watchedBody(body, release) };
};

const watchedContent = (content: Content, release: () => void): Content => ({
  size: content.size,
  open: transfersAs<Content["open"]>(content, (options) => {
    release();
    return content.open(options);
  }),
});

const watchedBody = (body: Body, release: () => void): Body => ({
  length: body.length,
  get chunks() {
    release();
    return body.chunks;
  },
  discard: () => body.discard(),
});
