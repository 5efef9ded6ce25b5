/**
 * When images were released, and who says so: what lies in an image, what its registry says, and when we saw it first.
 * Imports `file/`, `entry/`, `state/`, `@dray/policy` and the library; chooses nothing.
 */
export { keepTimes, timesOf } from "./kept-times.ts";
export { type KnownFacts, knownFacts } from "./known-facts.ts";
export {
  dockerHubTimes,
  type GitHubTimesOptions,
  githubTimes,
  harborTimes,
  type PushedTag,
  type PushTimes,
  type PushTimesOptions,
  pushTimesFor,
  quayTimes,
} from "./registries/index.ts";
export { type KnownTimes, type ReleaseTime, releaseTime, type TimeSource, timeSources } from "./release-time.ts";
export { ledgerTables } from "./tables.ts";
