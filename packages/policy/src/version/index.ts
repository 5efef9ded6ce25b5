/** Versions in tags: read strictly or loosely, compared, in ranges. Imports the natural order; knows no policy. */
export {
  newestOfVersions,
  newestRelease,
  newestVersion,
  type VersionedTag,
  versionedTag,
} from "./compare-versions.ts";
export { type Range, type ReadRangeOptions, readRange } from "./range.ts";
export { isBuildName, type ReadVersionOptions, readVersion, type Version } from "./read-version.ts";
export { isCommit } from "./suffix.ts";
