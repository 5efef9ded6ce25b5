import {
  type HasReferrers,
  hasReferrers,
  isManifest,
  type KeepsIndexes,
  type LiesOver,
  type ReadableStore,
} from "../content/index.ts";
import type { BlobCache } from "./blob-cache.ts";

/**
 * A store whose blobs come from a cache where that has them, and go there where it has not. Manifests are always the store's own: what a name stands
 * for today nobody else knows. When the files of a layer are read, its index goes there, too: next time parts of it are read, from the cache, or from the
 * store once the layer is in the cache no more.
 * @example const image = await openImage({ ...located, store: cachedStore(located.store, blobCache(directory)) });
 */
export const cachedStore = (
  store: ReadableStore,
  cache: BlobCache,
): ReadableStore & LiesOver & HasReferrers & KeepsIndexes => ({
  base: store,
  indexes: cache.indexes,
  resolve: (name, options) => store.resolve(name, options),
  async *read(descriptor, options = {}) {
    const { offset = 0, length, signal } = options;
    if (isManifest(descriptor, options)) {
      yield* store.read(descriptor, options);
      return;
    }
    // A part can be checked by whoever has a digest of it, and by nobody else.
    const isPart = offset > 0 || length !== undefined;
    yield* cache.read(descriptor, { offset, length, signal }, () =>
      isPart
        ? store.read(descriptor, options)
        : cache.keep(descriptor, store.read(descriptor, { ...options, verify: true })),
    );
  },
  async *referrers(subject, options) {
    if (hasReferrers(store)) yield* store.referrers(subject, options);
  },
});
