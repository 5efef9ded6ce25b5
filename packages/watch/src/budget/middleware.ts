import { DrayError } from "dray/errors";
import { type Clock, type Handler, type HttpRequest, type Middleware, systemClock } from "dray/http";
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
  /** Asks the same without reading it, where that is free: the answer says what is left. */
  const seek = async (next: Handler, request: HttpRequest): Promise<void> => {
    const head = { ...request, method: "HEAD" };
    if (counts(head) || !budget.seeks(clock.now())) return;
    const leave = budget.leave(false, clock.now());
    if ("until" in leave) return;
    try {
      const response = await next(head);
      budget.answered(leave, response, clock.now(), clock.random());
      await response.body.discard();
    } catch (error) {
      budget.failed(leave);
      throw error;
    }
  };
  return (next) => async (request) => {
    if (!request.target.startsWith("/v2/")) return next(request);
    const began = clock.now();
    let leave = budget.leave(counts(request), began);
    if ("until" in leave) {
      await seek(next, request);
      leave = budget.leave(counts(request), clock.now());
    }
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
