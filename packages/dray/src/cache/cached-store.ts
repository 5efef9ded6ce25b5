import { type HasReferrers, hasReferrers, isManifest, type LiesOver, type ReadableStore } from "../content/index.ts";
import type { BlobCache } from "./blob-cache.ts";

/**
 * A store whose blobs come from a cache where that has them, and go there where it has not. Manifests are always the store's own: what a name stands
 * for today nobody else knows.
 * @example const image = await openImage({ ...located, store: cachedStore(located.store, blobCache(directory)) });
 */
export const cachedStore = (store: ReadableStore, cache: BlobCache): ReadableStore & LiesOver & HasReferrers => ({
  base: store,
  resolve: (name, options) => store.resolve(name, options),
  async *read(descriptor, options = {}) {
    const { offset = 0, signal } = options;
    if (isManifest(descriptor, options)) {
      yield* store.read(descriptor, options);
      return;
    }
    const kept = await cache.open(descriptor, { offset, signal });
    if (kept !== undefined) yield* kept;
    // Only what is read from its beginning can be checked.
    else if (offset > 0) yield* store.read(descriptor, options);
    else yield* cache.keep(descriptor, store.read(descriptor, { ...options, verify: true }));
  },
  async *referrers(subject, options) {
    if (hasReferrers(store)) yield* store.referrers(subject, options);
  },
});
