/**
 * What an operator sees and does: metrics, health, logs, questions over a socket, signals. Wraps handlers and drivers; knows no
 * storage and no answer of the protocol beyond its routes.
 */
export { type AccessFormat, accessLog } from "./access-log.ts";
export { type AuditLog, auditLog, type Deed } from "./audit-log.ts";
export { control, serveControl } from "./control/index.ts";
export { type ControlActions, type ControlClient, type Controls, controls, socketPath } from "./controls.ts";
export { debugHandler } from "./debug.ts";
export { HealthChecks } from "./health.ts";
export { type LineOptions, type Lines, openLines } from "./lines.ts";
export { type Level, type Log, type LogOptions, openLog } from "./log.ts";
export * from "./metrics/index.ts";
export { type Exchange, type Observer, observe } from "./observe.ts";
export { registryHealth } from "./registry-health.ts";
export { factsOf, type RequestFacts, requestId } from "./request-facts.ts";
export { type Service, type SignalOptions, type SignalSource, untilSignals } from "./signals.ts";
