import { reasonOf, throwIfAborted } from "dray/errors";
import { type Clock, systemClock } from "dray/http";
import { refuseNumber } from "dray/internal/numbers";
import type { Cache } from "../cache-interface.ts";
import { decodeEntry, encodeEntry, type ImageEntry } from "../entry/index.ts";
import type { Repository } from "../repository.ts";
import type { Client } from "./client.ts";

/** How long what was found out holds. */
export interface CachedOptions {
  /** Milliseconds, less than thirty days. Default 20 minutes. */
  readonly expiry?: number | undefined;
  readonly clock?: Pick<Clock, "now"> | undefined;
  /** Hears of a cache that fails; the registry is asked instead. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const thirtyDays = 30 * 24 * 3_600_000;

/** The key of an entry, of its own form: what flux keeps under its keys is not touched. */
export const entryKey = ({ text }: Repository, tag: string): string => `drayentryv1|${text}|${tag}`;

/**
 * A client that asks a cache first for what a tag names. Lists of tags and digests are never cached, nor is the tag `latest`, which moves, nor
 * what names no digest. A cache that fails is told of and gone round.
 * @throws DrayError `USAGE`
 * @example const client = cached(await factory.clientFor(repository), cache, { expiry: 3_600_000 });
 */
export const cached = (client: Client, cache: Cache, options: CachedOptions = {}): Client => {
  const { expiry = 20 * 60_000, clock = systemClock, onWarning } = options;
  refuseNumber("expiry", expiry, { from: 1, to: thirtyDays - 1, fractions: true });
  const { repository } = client;

  const unlessFailing = async <T>(
    work: () => Promise<T>,
    doing: string,
    signal?: AbortSignal,
  ): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      throwIfAborted(signal);
      onWarning?.(`the cache fails at ${doing}, and the registry is asked instead: ${reasonOf(error)}`);
      return undefined;
    }
  };

  return {
    repository,
    tags: (given) => client.tags(given),
    digest: (tag, given) => client.digest(tag, given),
    manifest: async (tag, given = {}) => {
      if (tag === "latest") return client.manifest(tag, given);
      const { signal, digest } = given;
      const key = entryKey(repository, tag);
      const found = await unlessFailing(() => cache.get(key, { signal }), `reading ${key}`, signal);
      if (found !== undefined && clock.now() < found.deadline) {
        const entry = decodeEntry(found.value);
        if (entry !== undefined && (digest === undefined || digestIn(entry) === digest)) return entry;
      }
      const entry = await client.manifest(tag, given);
      if (digestIn(entry) !== undefined) {
        const keep = (): Promise<void> => cache.set(key, encodeEntry(entry), clock.now() + expiry, { signal });
        await unlessFailing(keep, `keeping ${key}`, signal);
      }
      return entry;
    },
  };
};

const digestIn = ({ info, excluded }: ImageEntry): string | undefined => (info ?? excluded)?.digest;
