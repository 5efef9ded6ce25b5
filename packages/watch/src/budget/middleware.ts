import { DrayError } from "dray/errors";
import { type Clock, type Middleware, systemClock } from "dray/http";
import type { Budget } from "./budget.ts";
import { countsOf } from "./counts.ts";

/** How long somebody waits for leave. */
export interface WithinOptions {
  /** Milliseconds. Default 0: what has to wait fails at once, and says when to come again. */
  readonly maxWait?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Asks within a budget, as a middleware of `connect`: what is not allowed now waits, or fails with `RATE_LIMITED` and `retryAfter`. Token services
 * and storage have limits of their own and go by.
 * @throws DrayError `RATE_LIMITED`
 * @example connect("docker.io", { middleware: withinBudget(budgets.of({ registry: "docker.io" })), budget: { maxWait: 0 } })
 */
export const withinBudget = (budget: Budget, { maxWait = 0, clock = systemClock }: WithinOptions = {}): Middleware => {
  const counts = countsOf(budget.registry);
  return (next) => async (request) => {
    if (!request.target.startsWith("/v2/")) return next(request);
    const began = clock.now();
    let leave = budget.leave(counts(request), began);
    while ("until" in leave) {
      const now = clock.now();
      if (leave.until - began > maxWait) throw tooMuch(budget, leave.until, now);
      await clock.sleep(Math.max(1, leave.until - now), request.signal);
      leave = budget.leave(counts(request), clock.now());
    }
    try {
      const response = await next(request);
      budget.answered(leave, response, clock.now(), clock.random());
      return response;
    } catch (error) {
      budget.failed(leave);
      throw error;
    }
  };
};

const tooMuch = ({ registry, identity }: Budget, until: number, now: number): DrayError => {
  const retryAfter = Math.ceil((until - now) / 1000);
  const who = identity === "" ? "" : ` for ${identity}`;
  return new DrayError("RATE_LIMITED", `the budget of ${registry}${who} is spent for ${retryAfter} s more`, {
    registry,
    retryAfter,
    retryable: false,
  });
};
