/**
 * The registry of a repository as a watch asks it: tags, what they name, and what that is; clients of registries, and what can be put around
 * any client. Imports `dray`, entries and the interface of a cache; knows no state, no queue and no policy.
 */
export { type BackoffOptions, backoffMiddleware } from "./backoff.ts";
export { type CachedOptions, cached, entryKey } from "./cached.ts";
export type { Client, ManifestOptions, TagList } from "./client.ts";
export { type ConfigurationFacts, type Configurations, memoryConfigurations } from "./configurations.ts";
export {
  type ClientFactory,
  type ClientFactoryOptions,
  type RemoteClientFactory,
  remoteClientFactory,
} from "./factory.ts";
export { clientDurations, instrumentedClient, labelRequestKind, requestKinds } from "./instrumented.ts";
export type { RateOptions } from "./rate.ts";
