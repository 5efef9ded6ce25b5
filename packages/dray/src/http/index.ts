/**
 * HTTP for registries: one pipeline of small middlewares over `node:http`.
 * Imports `oci/` and `content/`; knows no registry API and no credential file.
 */

export { isPrivateAddress } from "./addresses.ts";
export type { Backoff, BackoffOptions } from "./backoff.ts";
export { backoff } from "./backoff.ts";
export type { BudgetOptions } from "./budget.ts";
export { budget } from "./budget.ts";
export type { CertsDOptions, CertsDSettings } from "./certs-d.ts";
export { certsD } from "./certs-d.ts";
export type { Clock } from "./clock.ts";
export { systemClock } from "./clock.ts";
export type { Connection, ConnectionOptions } from "./connection.ts";
export { connection } from "./connection.ts";
export { pipeline } from "./pipeline.ts";
export type { Environment } from "./proxy.ts";
export { proxyFor } from "./proxy.ts";
export { redactHeaders, redactUrl } from "./redact.ts";
export { redirect } from "./redirect.ts";
export type { ResponseErrorOptions } from "./registry-error.ts";
export { responseError } from "./registry-error.ts";
export { retry } from "./retry.ts";
export { retryAfter } from "./retry-after.ts";
export type { RetryOptions } from "./retry-budget.ts";
export { RetryBudget } from "./retry-budget.ts";
export type { TlsSettings } from "./tls-settings.ts";
export type { TraceRecord } from "./trace.ts";
export { trace } from "./trace.ts";
export type { Wait } from "./transport-error.ts";
export * from "./types.ts";
export type { WarningsOptions } from "./warnings.ts";
export { parseWarnings, warnings } from "./warnings.ts";
