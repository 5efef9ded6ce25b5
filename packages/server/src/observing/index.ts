/**
 * What an operator sees of a registry: the audit log, metrics, health. Wraps drivers; knows no storage and no answer of the protocol
 * beyond its routes.
 */
export { type AuditLog, auditLog, type Deed } from "./audit-log.ts";
export * from "./metrics/index.ts";
export { registryHealth } from "./registry-health.ts";
