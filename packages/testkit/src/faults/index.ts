/** Scripted faults: middlewares around a handler that make it misbehave, at the request and the byte a test names. */
export {
  answerWith,
  corrupt,
  cutRequest,
  cutResponse,
  dropSession,
  type Effect,
  hold,
  loseAnswer,
  redirectTo,
  rewrite,
  run,
  stall,
} from "./effects.ts";
export { type Fault, faults } from "./faults.ts";
export { type RateLimit, type RateLimitOptions, rateLimit } from "./rate-limit.ts";
