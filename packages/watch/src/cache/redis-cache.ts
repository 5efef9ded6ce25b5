import type { Cancel } from "dray/content";
import { DrayError, reasonOf } from "dray/errors";
import { type Clock, systemClock } from "dray/http";
import { unlessAborted } from "dray/internal/async";
import { refuseNumber } from "dray/internal/numbers";
import type { Redis } from "ioredis";
import type { Cache } from "../cache-interface.ts";
import { keptUntil, splitDeadline, withDeadline } from "./kept.ts";

/** Where the Redis is, and how long it is waited for. */
export interface RedisCacheOptions {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. */
  readonly url: string;
  /** Milliseconds that one question may take. Default 1,000. */
  readonly timeout?: number | undefined;
  /** What its keys begin with. Default `dray:`. */
  readonly prefix?: string | undefined;
  readonly clock?: Pick<Clock, "now"> | undefined;
}

/** A cache in Redis, open. */
export interface RedisCache extends Cache {
  close(): void;
}

/**
 * A cache in Redis, which many processes share. The library for it is loaded here; a connection that is lost is opened again.
 * @throws DrayError `USAGE`
 * @example
 * const cache = await redisCache({ url: "redis://127.0.0.1:6379" });
 * cache.close();
 */
export const redisCache = async (options: RedisCacheOptions): Promise<RedisCache> => {
  const { url, timeout = 1000, prefix = "dray:", clock = systemClock } = options;
  refuseNumber("timeout", timeout, { to: 2 ** 31 - 1 });
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === "")
    // The address may have a password in it.
    throw new DrayError(
      "USAGE",
      "the address of Redis is redis://[user:password@]host[:port][/database], or rediss:// for TLS",
    );
  const client = new (await import("ioredis")).Redis(url, {
    lazyConnect: true,
    connectTimeout: timeout,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(25 * attempt, 1000),
  });
  const place = `Redis at ${parsed.host}`;
  const asking = new Asking(client, place, timeout);
  return {
    get: async (key, { signal } = {}) => {
      const found = await asking.ask(() => client.getBuffer(prefix + key), signal);
      return found === null ? undefined : splitDeadline(found);
    },
    set: async (key, value, deadline, { signal } = {}) => {
      const now = clock.now();
      const span = Math.min(Math.ceil(keptUntil(deadline, now) - now), Number.MAX_SAFE_INTEGER);
      await asking.ask(() => client.set(prefix + key, withDeadline(value, deadline), "PX", span), signal);
    },
    delete: async (key, { signal } = {}) => {
      await asking.ask(() => client.del(prefix + key), signal);
    },
    close: () => client.disconnect(),
  };
};

/** Questions with a time for each, and what fails in words of ours. */
class Asking {
  readonly #place: string;
  readonly #timeout: number;
  /** Why there is no connection, as far as that is known. */
  #fault: Error | undefined;

  constructor(client: Redis, place: string, timeout: number) {
    this.#place = place;
    this.#timeout = timeout;
    client.on("error", (error) => {
      this.#fault = error;
    });
  }

  async ask<T>(work: () => Promise<T>, signal: Cancel["signal"]): Promise<T> {
    const time = AbortSignal.timeout(this.#timeout);
    const either = signal === undefined ? time : AbortSignal.any([signal, time]);
    try {
      return await unlessAborted(work(), either);
    } catch (error) {
      throw signal?.aborted ? error : this.#inWords(error, time.aborted);
    }
  }

  #inWords(error: unknown, isLate: boolean): DrayError {
    if (isLate)
      return new DrayError("TIMEOUT", `${this.#place} has not answered within ${this.#timeout} ms`, {
        retryable: true,
      });
    if ((error as { name?: unknown }).name === "ReplyError")
      return new DrayError("CACHE", `${this.#place} refused: ${reasonOf(error)}`, { cause: error });
    const cause = this.#fault ?? error;
    return new DrayError("NETWORK", `${this.#place} cannot be reached: ${reasonOf(cause)}`, { cause, retryable: true });
  }
}
