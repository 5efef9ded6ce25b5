import { defined } from "dray/internal/defined";
import { isObject } from "dray/oci";
import { type Cache, manifestKey, repositoryKey } from "../cache-interface.ts";
import { decodeEntry, type ImageEntry, timeIn } from "../entry/index.ts";
import type { KnownImages, KnownRepository, KnownTag, LastError } from "./known.ts";

/**
 * What a running flux has put into its cache, under its keys of version 3 and 4: read, never written. A record that is no JSON is as good as not there.
 * @example const registry = knownRegistry(cacheImages(memcachedCache(memcacheClient({ host: "memcached" }))));
 */
export const cacheImages = (cache: Cache): KnownImages => ({
  repository: async (repository) => {
    const kept = await cache.get(repositoryKey(repository));
    return kept && repositoryIn(kept.value);
  },
  tag: async (repository, tag) => {
    const kept = await cache.get(manifestKey(repository, tag));
    const entry = kept && decodeEntry(kept.value);
    return entry && { entry };
  },
});

/** `{Tags, Images, LastError, LastUpdate}` */
const repositoryIn = (bytes: Uint8Array): KnownRepository | undefined => {
  let record: unknown;
  try {
    record = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (!isObject(record)) return undefined;
  const { Tags: names, Images: images, LastError: message, LastUpdate: updated } = record;
  const tags = new Map<string, KnownTag>();
  for (const tag of Array.isArray(names) ? (names as unknown[]) : []) {
    if (typeof tag !== "string" || tag === "") continue;
    const entry = isObject(images) && Object.hasOwn(images, tag) ? entryIn(images[tag]) : undefined;
    tags.set(tag, entry === undefined ? {} : { entry });
  }
  const at = timeIn(updated);
  const lastError: LastError | undefined = typeof message === "string" && message !== "" ? { message } : undefined;
  return defined<KnownRepository>({
    tags,
    complete: true,
    lastUpdate: at === undefined ? undefined : Date.parse(at),
    lastError,
  });
};

const entryIn = (value: unknown): ImageEntry | undefined =>
  decodeEntry(new TextEncoder().encode(JSON.stringify(value)));
