import type { Handler } from "dray/http";
import { matches, type RequestMatch } from "../log.ts";
import type { Effect } from "./effects.ts";

/** Something that goes wrong: with which requests, and how. */
export interface Fault extends RequestMatch {
  /** Which of the matching requests, the first is 1; `[from, to]` both included. Default: every one. */
  readonly nth?: number | readonly [from: number, to: number];
  readonly effect: Effect;
}

/**
 * A handler that misbehaves by rules. Every rule counts the requests that match it; the first one whose turn it is acts.
 * @example
 * faults(registry.handler, [
 *   { method: "GET", target: "/blobs/", nth: 1, effect: cutResponse(1000) },
 *   { target: "/manifests/", nth: [1, 3], effect: answerWith(429, { "Retry-After": "1" }) },
 * ])
 */
export const faults = (handler: Handler, rules: readonly Fault[]): Handler => {
  const seen = rules.map(() => 0);
  return async (request) => {
    let effect: Effect | undefined;
    rules.forEach((rule, i) => {
      if (!matches(rule, request)) return;
      const count = (seen[i] = (seen[i] ?? 0) + 1);
      if (effect === undefined && isTurn(rule.nth, count)) effect = rule.effect;
    });
    return effect === undefined ? handler(request) : effect(request, handler);
  };
};

const isTurn = (nth: Fault["nth"], count: number): boolean => {
  if (nth === undefined) return true;
  const [from, to] = typeof nth === "number" ? [nth, nth] : nth;
  return from <= count && count <= to;
};
