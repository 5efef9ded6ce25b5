/**
 * What an operator sees of a program: its log, a line for each request, metrics, health. Wraps handlers.
 * Imports `response/` and the library; knows no route: what a request is called is an argument.
 */
export { type AccessFormat, accessLog, safe } from "./access-log.ts";
export { debugHandler } from "./debug.ts";
export { type Findings, HealthChecks, type HealthSources } from "./health.ts";
export { type LineOptions, type Lines, openLines } from "./lines.ts";
export { type Level, type Log, type LogOptions, openLog } from "./log.ts";
export * from "./metrics/index.ts";
export type { Notice } from "./notice.ts";
export {
  type FinishedRequest,
  factsOf,
  type Observer,
  observe,
  type RequestFacts,
  requestId,
  type ServedRequest,
} from "./observe.ts";
export { atMostOnceIn, faultOf } from "./probe.ts";
