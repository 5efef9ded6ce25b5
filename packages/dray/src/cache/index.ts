/**
 * Blobs that were fetched once, kept in a directory for the next who wants them, here or in another process.
 * Imports the file system's edge and `content/`; knows no registry and no image.
 */
export {
  type BlobCache,
  type BlobCacheOptions,
  blobCache,
  type CachedBlob,
  type Pruned,
  type PruneOptions,
} from "./blob-cache.ts";
export { cachedStore } from "./cached-store.ts";
