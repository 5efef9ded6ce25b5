import { createHash } from "node:crypto";
import type { Cancel } from "dray/content";
import { isDrayError } from "dray/errors";
import { type Clock, systemClock } from "dray/http";
import { refuseNumber } from "dray/internal/numbers";
import type { Cache } from "../cache-interface.ts";
import type { MemcacheClient } from "../memcached/index.ts";
import { keptUntil, splitDeadline, withDeadline } from "./kept.ts";
import { type Packed, packed, readHead, unpacked } from "./packed.ts";

/** How values lie there. */
export interface MemcachedCacheOptions {
  /** Bytes that the servers take for one item, with its key: memcached's `-I`. Default 1 MiB. What turns out to be less is learnt. */
  readonly itemLimit?: number | undefined;
  readonly clock?: Pick<Clock, "now"> | undefined;
}

/** What an item takes beside its value: key, head, and room to spare. */
const besides = 512;
const leastLimit = 1024;
/** Above so many seconds memcached takes a number for a time since 1970. */
const longestSpan = 30 * 86_400;
/** Longer keys are kept by their digest, so that what is added to them finds room. */
const longestKey = 220;

/**
 * A cache in memcached, shared with a running flux: what fits lies there as flux writes it and reads it. A value above the item limit is compressed
 * and, where that is not enough, split, beside the key, under which flux then finds nothing. A part that was forgotten makes it as if nothing had
 * been kept.
 * @throws DrayError `USAGE`
 * @example const cache = memcachedCache(memcacheClient({ host: "127.0.0.1:11211" }));
 */
export const memcachedCache = (client: MemcacheClient, options: MemcachedCacheOptions = {}): Cache => {
  refuseNumber("itemLimit", options.itemLimit, { from: leastLimit + besides, to: 2 ** 30 });
  return new MemcachedCache(client, options);
};

class MemcachedCache implements Cache {
  readonly #client: MemcacheClient;
  readonly #clock: Pick<Clock, "now">;
  #limit: number;

  constructor(client: MemcacheClient, { itemLimit = 2 ** 20, clock = systemClock }: MemcachedCacheOptions) {
    this.#client = client;
    this.#clock = clock;
    this.#limit = itemLimit - besides;
  }

  async get(key: string, options?: Cancel): ReturnType<Cache["get"]> {
    const name = keptAs(key);
    const whole = await this.#client.get(name, options);
    if (whole !== undefined) return splitDeadline(whole.value);
    const head = await this.#client.get(headKey(name), options);
    const facts = head === undefined ? undefined : readHead(head.value);
    if (facts === undefined) return undefined;
    const keys = Array.from({ length: facts.parts }, (_, at) => partKey(name, facts.id, at));
    const found = await this.#client.getMulti(keys, options);
    const parts = keys.flatMap((each) => found.get(each)?.value ?? []);
    const framed = await unpacked(facts, parts);
    return framed === undefined ? undefined : splitDeadline(framed);
  }

  async set(key: string, value: Uint8Array, deadline: number, options?: Cancel): Promise<void> {
    const name = keptAs(key);
    const framed = withDeadline(value, deadline);
    const expiration = this.#expiration(deadline);
    const fits = await this.#unlessTooLarge(framed.byteLength, () =>
      this.#client.set({ key: name, value: framed, expiration }, options),
    );
    // What lay there in the other form is older.
    if (fits) await this.#client.delete(headKey(name), options);
    else {
      await this.#client.delete(name, options);
      await this.#setPacked(name, framed, expiration, options);
    }
  }

  async delete(key: string, options?: Cancel): Promise<void> {
    const name = keptAs(key);
    await Promise.all([this.#client.delete(name, options), this.#client.delete(headKey(name), options)]);
  }

  async #setPacked(name: string, framed: Buffer, expiration: number, options?: Cancel): Promise<void> {
    for (;;) {
      const { head, id, parts } = await packed(framed, this.#limit);
      const fit = await this.#unlessTooLarge(parts[0]?.byteLength ?? 0, () =>
        this.#setParts(name, { id, parts }, expiration, options),
      );
      // The head comes last: whoever finds it finds all that was written.
      if (fit) return this.#client.set({ key: headKey(name), value: head, expiration }, options);
    }
  }

  async #setParts(
    name: string,
    { id, parts }: Pick<Packed, "id" | "parts">,
    expiration: number,
    options?: Cancel,
  ): Promise<void> {
    for (const [at, value] of parts.entries())
      await this.#client.set({ key: partKey(name, id, at), value, expiration }, options);
  }

  /** `false`: the servers take less than that for one item, and now we know. */
  async #unlessTooLarge(bytes: number, work: () => Promise<void>): Promise<boolean> {
    if (bytes > this.#limit) return false;
    try {
      await work();
      return true;
    } catch (error) {
      if (!isDrayError(error, "LIMIT_EXCEEDED") || this.#limit <= leastLimit) throw error;
      this.#limit = Math.max(leastLimit, Math.min(this.#limit, bytes) >> 1);
      return false;
    }
  }

  #expiration(deadline: number): number {
    const now = this.#clock.now();
    const until = keptUntil(deadline, now);
    const span = Math.floor((until - now) / 1000);
    return span <= longestSpan ? span : Math.min(Math.floor(until / 1000), 0x7fff_ffff);
  }
}

const keptAs = (key: string): string => {
  if (Buffer.byteLength(key) <= longestKey) return key;
  return `${key.slice(0, 40).split("|")[0] ?? ""}|sha256:${createHash("sha256").update(key).digest("hex")}`;
};

/** `#` is in no name of a repository and in no tag. */
const headKey = (name: string): string => `${name}#`;
const partKey = (name: string, id: string, at: number): string => `${name}#${id}.${at}`;
