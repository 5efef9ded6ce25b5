/**
 * What an operator sees of a registry: the audit log, metrics, health. Wraps drivers; knows no storage and no answer of the protocol
 * beyond its routes.
 */
export { type AuditLog, auditLog, type Deed } from "./audit-log.ts";
export { type CacheCounts, Metrics, openMetrics, type Readings } from "./metrics.ts";
export { registryHealth } from "./registry-health.ts";
