/**
 * What is known of repositories, tags and manifests, in tables of the file: read by anybody, and changed by what a look at a registry found, together with
 * the events that follow from it. Imports `file/`, `events/`, `entry/` and the interfaces of `client/`; asks no registry and knows no queue.
 */
export { claim, newHolder, release } from "./claims.ts";
export { fileConfigurations } from "./configurations.ts";
export { digestBytes } from "./digest-bytes.ts";
export { dropFarDates } from "./far-dates.ts";
export { entryOf, keepEntry } from "./manifests.ts";
export { type Intervals, type Looked, nextInterval, recordDigests } from "./record-digests.ts";
export { recordList, type Selection } from "./record-list.ts";
export {
  addRepository,
  allRepositories,
  type Missing,
  type Problem,
  type RepositoryState,
  recordOutcome,
  removeRepository,
  repositoryNamed,
} from "./repositories.ts";
export { stateTables } from "./tables.ts";
export { countTags, dueTags, historyOf, type TagState, type TagsQuery, tagNamed, tagsOf } from "./tags.ts";
