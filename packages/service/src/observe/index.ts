/**
 * What an operator sees of a program: its log, a line for each request, metrics, health. Wraps handlers.
 * Imports `response/` and the library; knows no route: what a request is called is an argument.
 */
export { type AccessFormat, accessLog, safe } from "./access-log.ts";
export { debugHandler } from "./debug.ts";
export { atMostOnceIn, type Findings, faultOf, HealthChecks, type HealthSources } from "./health.ts";
export { type LineOptions, type Lines, openLines } from "./lines.ts";
export { type Level, type Log, type LogOptions, type Notice, openLog } from "./log.ts";
export * from "./metrics/index.ts";
export {
  type FinishedRequest,
  factsOf,
  type Observer,
  observe,
  type RequestFacts,
  requestId,
  type ServedRequest,
} from "./observe.ts";
