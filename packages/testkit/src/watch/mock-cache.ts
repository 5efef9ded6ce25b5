import type { Cache, CachedValue } from "@dray/watch";
import { DrayError } from "dray/errors";

/** A cache in memory that a test can look into, and break. */
export interface MockCache extends Cache {
  readonly kept: Map<string, CachedValue>;
  /** While it is `true` every call fails. */
  broken: boolean;
}

/** A cache in memory that forgets nothing by itself. @example const cache = mockCache(); cache.broken = true; */
export const mockCache = (): MockCache => {
  const kept = new Map<string, CachedValue>();
  const unlessBroken = <T>(work: () => T): T => {
    if (cache.broken) throw new DrayError("NETWORK", "the cache is broken");
    return work();
  };
  const cache: MockCache = {
    kept,
    broken: false,
    get: async (key) => unlessBroken(() => kept.get(key)),
    set: async (key, value, deadline) => unlessBroken(() => void kept.set(key, { value, deadline })),
    delete: async (key) => unlessBroken(() => void kept.delete(key)),
  };
  return cache;
};
