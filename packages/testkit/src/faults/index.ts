/** Scripted faults: middlewares around a handler that make it misbehave, at the request and the byte a test names. */
export * from "./effects.ts";
export * from "./faults.ts";
export * from "./rate-limit.ts";
