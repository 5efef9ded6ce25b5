/**
 * What takes the space of a registry. Imports `distribution-tree/` and the set of digests of `gc/`; removes nothing and knows no request.
 */
export { type DiskUsage, diskUsage, type RepositoryUsage, type UsageOptions } from "./disk-usage.ts";
