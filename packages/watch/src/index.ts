/**
 * Which newer image exists, for thousands of repositories, within what their registries allow. Stands on `dray`; knows no command and no
 * terminal.
 */

export * from "./api/index.ts";
export * from "./budget/index.ts";
export * from "./cache/index.ts";
export { type Cache, type CachedValue, manifestKey, repositoryKey } from "./cache-interface.ts";
export {
  type BackoffOptions,
  backoffMiddleware,
  type CachedOptions,
  type Client,
  type ClientFactory,
  type ClientFactoryOptions,
  type ConfigurationFacts,
  type Configurations,
  cached,
  clientDurations,
  entryKey,
  instrumentedClient,
  labelRequestKind,
  type ManifestOptions,
  memoryConfigurations,
  type RateOptions,
  type RemoteClientFactory,
  remoteClientFactory,
  requestKinds,
  type TagList,
} from "./client/index.ts";
export * from "./config/index.ts";
export { Durations, type WorkLabels } from "./durations.ts";
export {
  decodeEntry,
  type EncodeEntryOptions,
  type Excluded,
  type ExcludedReason,
  encodeEntry,
  type ImageEntry,
  type ImageInfo,
  type ImagePlatform,
  isTime,
  type LabelTimes,
  labelTimes,
} from "./entry/index.ts";
export * from "./events/index.ts";
export { type OpenFileOptions, openFile, type RoomTables, type WatchFile } from "./file/index.ts";
export * from "./ledger/index.ts";
export * from "./memcached/index.ts";
export * from "./outdated/index.ts";
export {
  cacheImages,
  type ImageSort,
  type ImagesOptions,
  instrumentedRegistry,
  type KnownImage,
  type KnownImages,
  type KnownRepository,
  type KnownTag,
  knownRegistry,
  type LastError,
  type Registry,
  type RepositoryMetadata,
  registryDurations,
  type Stale,
  scanDisabledRegistry,
  stateImages,
  withLabelTimes,
} from "./reader/index.ts";
export * from "./refresh/index.ts";
export { imageOf, parseRepository, type Repository, repositoryFromImage } from "./repository.ts";
export * from "./running/index.ts";
export * from "./serve/index.ts";
export * from "./sinks/index.ts";
export {
  allRepositories,
  countTags,
  entryOf,
  historyOf,
  type Intervals,
  type Missing,
  type Problem,
  type RepositoryState,
  removeRepository,
  repositoryNamed,
  type Selection,
  stateTables,
  type TagState,
  type TagsQuery,
  tagNamed,
  tagsOf,
} from "./state/index.ts";
export * from "./webhooks/index.ts";
