import { type HasReferrers, hasReferrers, type LiesOver } from "./capabilities.ts";
import { type MemoryStore, memoryStore } from "./memory.ts";
import type { ReadableStore } from "./store.ts";
import { transfersAs } from "./transferable.ts";

/** A store over another one: what is new lies on top, in memory; everything else is read from below. */
export interface Overlay extends ReadableStore, HasReferrers, LiesOver {
  /** What is new. Write changed manifests here. */
  readonly top: MemoryStore;
}

/** Lays an empty overlay over a store, which it never writes to. */
export const overlay = (base: ReadableStore): Overlay => {
  const top = memoryStore();
  return {
    top,
    base,
    resolve: async (name, options) => {
      const found = await top.resolve(name).catch(() => undefined);
      return found ?? base.resolve(name, options);
    },
    // Chunks of the memory on top are never marked as anybody's.
    read: transfersAs<ReadableStore["read"]>(base, async function* (descriptor, options) {
      yield* ((await top.has(descriptor)) ? top : base).read(descriptor, options);
    }),
    referrers: async function* (subject, options) {
      yield* top.referrers(subject, options);
      if (hasReferrers(base)) yield* base.referrers(subject, options);
    },
  };
};
