/**
 * HTTP for registries: one pipeline of small middlewares over `node:http`.
 * Imports `oci/` and `content/`; knows no registry API and no credential file.
 */

export { isAllowed, isLocalName, isMetadataAddress, isPrivateAddress } from "./addresses.ts";
export { type Backoff, type BackoffOptions, backoff } from "./backoff.ts";
export { type BudgetOptions, budget } from "./budget.ts";
export { type CertsDOptions, type CertsDSettings, certsD } from "./certs-d.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type Connection, type ConnectionOptions, connection } from "./connection.ts";
export { withoutCoding } from "./content-coding.ts";
export {
  type Fetch,
  type FetchInit,
  type FetchResponse,
  type FetchStream,
  fetchConnection,
} from "./fetch-connection.ts";
export { unsendable, withHeaders } from "./headers.ts";
export { pluggedConnection } from "./plugged-connection.ts";
export { type Environment, proxyFor } from "./proxy.ts";
export { type RateLimit, readRateLimit } from "./rate-limiter.ts";
export { redactHeaders, redactUrl } from "./redact.ts";
export { redirect } from "./redirect.ts";
export { type ResponseErrorOptions, responseError } from "./registry-error.ts";
export { retry } from "./retry.ts";
export { retryAfter } from "./retry-after.ts";
export { RetryBudget, type RetryOptions } from "./retry-budget.ts";
export type { TlsSettings } from "./tls-settings.ts";
export { type TraceRecord, trace } from "./trace.ts";
export type { TimeoutClass } from "./transport-error.ts";
export * from "./types.ts";
export { parseWarnings, type WarningsOptions, warnings } from "./warnings.ts";
