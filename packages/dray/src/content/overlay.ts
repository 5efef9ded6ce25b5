import type { Digest } from "../oci/index.ts";
import { type HasReferrers, hasReferrers, type LiesOver } from "./capabilities.ts";
import { type MemoryStore, memoryStore } from "./memory.ts";
import type { ReadableStore } from "./store.ts";
import { borrowed, transfersAs } from "./transferable.ts";

/** A store over another one: what is new lies on top, in memory; everything else is read from below. */
export interface Overlay extends ReadableStore, HasReferrers, LiesOver {
  /** What is new. Write changed manifests here. */
  readonly top: MemoryStore;
  /** Content that lies in other stores, by its digest. */
  readonly elsewhere: Map<Digest, ReadableStore>;
}

/** Lays an empty overlay over a store, which it never writes to. */
export const overlay = (base: ReadableStore): Overlay => {
  const top = memoryStore();
  const elsewhere = new Map<Digest, ReadableStore>();
  return {
    top,
    base,
    elsewhere,
    resolve: async (name, options) => {
      const found = await top.resolve(name).catch(() => undefined);
      return found ?? base.resolve(name, options);
    },
    // Chunks of the memory on top are never marked as anybody's.
    read: transfersAs<ReadableStore["read"]>(base, async function* (descriptor, options) {
      const other = elsewhere.get(descriptor.digest);
      // Whoever reads was promised what `base` promises, which another store's chunks may not keep.
      if (other !== undefined && other !== base) yield* borrowed(other.read(descriptor, options));
      else yield* ((await top.has(descriptor)) ? top : base).read(descriptor, options);
    }),
    referrers: async function* (subject, options) {
      yield* top.referrers(subject, options);
      if (hasReferrers(base)) yield* base.referrers(subject, options);
    },
  };
};
