import { type Body, bytesBody, type Content, transfersAs } from "../content/index.ts";
import { defined } from "../defined.ts";
import { type DrayError, isDrayError } from "../errors.ts";
import { refuseNumber } from "../numbers.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Applicant, RateLimiter, readRateLimit } from "./rate-limiter.ts";
import { responseError } from "./registry-error.ts";
import { isRepeatable } from "./retry.ts";
import { retryAfter } from "./retry-after.ts";
import { type HttpRequest, type HttpResponse, isContent, type Middleware, type OpenAhead } from "./types.ts";

/** How much may be asked of one registry at a time, and how long a request waits for that. */
export interface BudgetOptions {
  /** Requests to one registry that may wait for their answer at the same time, once it has shown that it answers well. Default 32. */
  readonly concurrency?: number;
  /**
   * The longest wait for one request in milliseconds, counted from the first time it was told to wait. Default 15 minutes. With `connect` it
   * is 2 minutes and goes for repetitions as well; where `retry.maxWait` is given too, the smaller of both goes for all.
   */
  readonly maxWait?: number;
  /** Requests with the same identity share a limit. Default: their origin. */
  readonly identity?: (request: HttpRequest) => string;
  readonly clock?: Clock;
}

/** The budget of one registry, as a middleware. */
export type Budget = Middleware & {
  /** So many requests are about to come: their connections are opened meanwhile, as many as there may be. */
  readonly expect: (origin: string, requests: number) => void;
};

/** From this size on a request holds its permit only until its body is asked for: its header has been taken, and the rest is bandwidth. */
const largeBody = 1 << 20;

/** A request that meets a closed door while others are answered waits for one of those to leave; this often. */
const mostRefusals = 3;

/**
 * Request budget of a registry and identity: keeps to what it allows. A 429, or a 503 that says when to come back, stops everybody until
 * then; a request that was told 429 waits and is sent again, which takes no attempt of a retry budget. What is left by `RateLimit-*` slows us
 * down before it comes to that. A permit is held from the request to the headers of its answer. While requests wait, and the registry has
 * never limited us, their connections are opened ahead.
 * @throws DrayError with `retryAfter` (seconds) where the wait would be longer than `maxWait`: `RATE_LIMITED` after a 429, after a 503 what it said
 */
export const budget = (options: BudgetOptions = {}, openAhead?: OpenAhead): Budget => {
  const { concurrency = 32, maxWait = 900_000, identity = ({ origin }) => origin, clock = systemClock } = options;
  refuseNumber("budget.concurrency", concurrency);
  refuseNumber("budget.maxWait", maxWait, { from: 0, fractions: true });
  const limiters = new Map<string, RateLimiter>();
  let order = 0;

  const limiterOf = (request: HttpRequest): RateLimiter => {
    const key = identity(request);
    const limiter = limiters.get(key) ?? new RateLimiter({ registry: hostOf(request), concurrency, maxWait, clock });
    limiters.set(key, limiter);
    return limiter;
  };

  /** Where several origins share a limit, nobody knows which of them will be asked. */
  const openFor = (origin: string, limiter: RateLimiter | undefined, expected?: number): void => {
    if (limiter === undefined || options.identity !== undefined) return;
    const total = limiter.connections(expected);
    if (total > 0) openAhead?.(origin, total, () => limiter.refusedAhead());
  };
  const expect: Budget["expect"] = (origin, requests) => openFor(origin, limiters.get(origin), requests);

  const middleware: Middleware = (next) => async (request) => {
    const limiter = limiterOf(request);
    const applicant: Applicant = { order: order++ };
    let refusals = 0;
    for (;;) {
      const permitted = limiter.acquire(applicant, request.signal);
      openFor(request.origin, limiter);
      const permit = await permitted;
      const release = once(() => limiter.release());
      try {
        const began = clock.now();
        const response = await next(releasingEarly(request, release)).catch((error: unknown) => {
          const isOurs = isDrayError(error, "NETWORK") && error.registry === hostOf(request);
          if (!isOurs || !limiter.refused(permit) || !isRepeatable(request) || refusals++ === mostRefusals) throw error;
          return undefined;
        });
        if (response === undefined) continue;
        const now = clock.now();
        const left = readRateLimit(response.headers, now);
        if (left !== undefined) {
          const registry = hostOf(request);
          const delay = limiter.remains(left);
          request.context?.onEvent?.({ type: "rateLimit", registry, ...left });
          if (delay !== undefined) request.context?.onEvent?.({ type: "throttled", registry, delay });
        }
        const { status } = response;
        const wait = status === 429 || status === 503 ? retryAfter(response.headers, now) : undefined;
        if (status !== 429 && wait === undefined) {
          if (status < 500) {
            const { method: kind, body } = request;
            limiter.succeeded(permit, body === undefined ? { took: now - began, kind } : undefined);
            openFor(request.origin, limiter);
          }
          return response;
        }
        const registry = hostOf(request);
        const { answer, reason } = status === 503 ? await heard(response, registry) : { answer: response };
        const limited = limiter.limited(permit, applicant, wait, reason);
        if (limited.news) {
          const delay = limited.wait;
          const why = defined<{ readonly reason?: string }>({ reason: reason?.message });
          request.context?.onEvent?.({ type: "throttled", registry, delay, ...why });
        }
        if (status === 503) return answer;
        if (!isRepeatable(request) || request.context?.retry === false) return response;
        await response.body.discard();
      } finally {
        release();
      }
    }
  };
  return Object.assign(middleware, { expect });
};

/** What a registry says of why it cannot do anything now, in its words; the answer can be read again. */
const heard = async (
  response: HttpResponse,
  registry: string,
): Promise<{ readonly answer: HttpResponse; readonly reason: DrayError }> => {
  const parts: Uint8Array[] = [];
  const listening = async function* () {
    for await (const chunk of response.body.chunks) {
      parts.push(chunk.slice());
      yield chunk;
    }
  };
  const body: Body = { length: response.body.length, chunks: listening(), discard: () => response.body.discard() };
  const reason = await responseError({ ...response, body }, "", { registry, advice: false });
  return { answer: { ...response, body: bytesBody(Buffer.concat(parts)) }, reason };
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
