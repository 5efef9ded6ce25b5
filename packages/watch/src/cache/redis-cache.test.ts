import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type CacheServer, freePort, startRedis } from "@dray/testkit/peers";
import { isDrayError } from "dray/errors";
import { testCache } from "../../test/cache-contract.ts";
import { type RedisCache, redisCache } from "./index.ts";

const server = await startRedis();
const guarded = await startRedis(["--requirepass", "open sesame"]);
const missing = (server === undefined || guarded === undefined) && "redis-server is not here";

describe("a cache in Redis", { skip: missing }, () => {
  const running = server as CacheServer;
  let cache: RedisCache;
  before(async () => {
    cache = await redisCache({ url: `redis://${running.host}`, timeout: 30_000 });
  });
  after(async () => {
    cache.close();
    await running.close();
    await guarded?.close();
  });
  testCache(() => cache, Date.now);

  test("a Redis that is gone is told of, and used again when it is back", async () => {
    await cache.set("a", Buffer.from("1"), Date.now());
    await running.kill();
    await assert.rejects(
      cache.get("a"),
      (error) =>
        isDrayError(error, "NETWORK") && error.message.startsWith(`Redis at ${running.host} cannot be reached: `),
    );
    await running.start();
    await cache.set("a", Buffer.from("2"), Date.now());
    assert.equal(Buffer.from((await cache.get("a"))?.value ?? []).toString(), "2");
  });

  test("one that is slow is waited for until the time-out", async () => {
    const impatient = await redisCache({ url: `redis://${running.host}`, timeout: 50 });
    running.pause();
    await assert.rejects(
      impatient.get("a"),
      (error) => isDrayError(error, "TIMEOUT") && error.message.endsWith(" within 50 ms"),
    );
    running.resume();
    impatient.close();
  });

  test("a password is used, and in no message", async () => {
    const host = guarded?.host ?? "";
    const known = await redisCache({ url: `redis://:open%20sesame@${host}`, timeout: 30_000 });
    await known.set("a", Buffer.from("1"), Date.now());
    assert.ok(await known.get("a"));
    known.close();
    for (const url of [`redis://${host}`, `redis://:wrong-word@${host}`]) {
      const stranger = await redisCache({ url, timeout: 30_000 });
      await assert.rejects(
        stranger.get("a"),
        (error) =>
          isDrayError(error, "CACHE", "NETWORK") &&
          !error.message.includes("wrong-word") &&
          /NOAUTH|WRONGPASS/.test(error.message),
      );
      stranger.close();
    }
  });
});

test("addresses that are none, and one where nobody listens", async () => {
  for (const url of ["", "127.0.0.1:6379", "http://a", "redis://", "redis://:secret-word@"])
    await assert.rejects(
      redisCache({ url }),
      (error) => isDrayError(error, "USAGE") && !error.message.includes("secret-word"),
    );
  const nobody = await redisCache({ url: `redis://127.0.0.1:${await freePort()}`, timeout: 30_000 });
  await assert.rejects(nobody.get("a"), (error) => isDrayError(error, "NETWORK") && /ECONNREFUSED/.test(error.message));
  nobody.close();
});
