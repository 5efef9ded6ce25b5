import { backoff, type Clock, type Middleware, retry } from "dray/http";
import { refuseNumber } from "dray/internal/numbers";

/** How long is waited between the attempts of one request. Milliseconds. */
export interface BackoffOptions {
  /** After the first failure; each further wait is twice as long. Default 500. */
  readonly initial?: number | undefined;
  /** No wait is longer. Default 10,000. */
  readonly max?: number | undefined;
  /** Attempts in all. Default: until the signal of the request ends it. */
  readonly attempts?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Back-off for one request at a time, as a middleware around any handler: 429, 5xx and cut connections are tried again, after what the
 * registry says (`Retry-After`), else after a wait that doubles. The wait ends with the request's signal; the bodies of answers that nobody
 * sees are discarded, and a request whose body cannot be sent again is asked once.
 * @example const send = backoffMiddleware({ initial: 500, max: 10_000 })(connection());
 */
export const backoffMiddleware = ({
  initial = 500,
  max = 10_000,
  attempts,
  clock,
}: BackoffOptions = {}): Middleware => {
  refuseNumber("initial", initial, { from: 0, fractions: true });
  refuseNumber("max", max, { from: 0, fractions: true });
  return retry({
    attempts: attempts ?? Infinity,
    maxWait: Infinity,
    delay: backoff({ first: initial, longest: max, jitter: 0 }),
    ...(clock === undefined ? {} : { clock }),
  });
};
