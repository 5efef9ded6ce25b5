import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type CacheServer, startMemcached } from "@dray/testkit/peers";
import { isDrayError } from "dray/errors";
import { testCache } from "../../test/cache-contract.ts";
import { type MemcacheClient, memcacheClient } from "../memcached/index.ts";
import { memcachedCache } from "./index.ts";

const servers = [await startMemcached(), await startMemcached(["-I", "512k"])];
const missing = servers.includes(undefined) && "memcached is not here";

for (const [at, name] of ["that takes a MiB for an item", "that takes half a MiB"].entries())
  describe(`a cache in a memcached ${name}`, { skip: missing }, () => {
    const server = servers[at] as CacheServer;
    let client: MemcacheClient;
    let cache: ReturnType<typeof memcachedCache>;
    before(() => {
      client = memcacheClient({ host: server.host, timeout: 30_000 });
      cache = memcachedCache(client);
    });
    after(async () => {
      client.stop();
      await server.close();
    });
    testCache(() => cache, Date.now);

    test("what fits lies there as flux has it: four bytes of seconds, and the value", async () => {
      await cache.set("registryrepov4|quay.io/team/app", Buffer.from('{"a":1}'), 1_800_000_000_999);
      const found = await client.get("registryrepov4|quay.io/team/app");
      assert.deepEqual(found?.value, Buffer.from([0x6b, 0x49, 0xd2, 0x00, ...Buffer.from('{"a":1}')]));
      assert.equal(found?.flags, 0);
      await client.set({ key: "theirs", value: Buffer.from([0x6b, 0x49, 0xd2, 0x00, 1, 2]) });
      const theirs = await cache.get("theirs");
      assert.deepEqual(theirs, { value: Buffer.from([1, 2]), deadline: 1_800_000_000_000 });
    });

    test("what is too short to have a deadline, and parts that were forgotten, are as if nothing were there", async () => {
      for (const value of ["", "abc"]) {
        await client.set({ key: "short", value: Buffer.from(value) });
        assert.equal(await cache.get("short"), undefined);
      }
      const large = Buffer.from(Array.from({ length: 2 ** 21 }, (_, n) => (n * n) >> 3));
      await cache.set("parts", large, Date.now() + 60_000);
      assert.equal(await client.get("parts"), undefined, "flux finds nothing rather than what it cannot read");
      const head = JSON.parse(Buffer.from((await client.get("parts#"))?.value ?? []).toString()) as { id: string };
      assert.ok(await cache.get("parts"));
      await client.delete(`parts#${head.id}.0`);
      assert.equal(await cache.get("parts"), undefined);
      for (const value of ["", "{}", "null", '{"id":"0123456789abcdef","parts":1e9,"sha256":""}']) {
        await client.set({ key: "parts#", value: Buffer.from(value) });
        assert.equal(await cache.get("parts"), undefined, value);
      }
    });

    test("a server that is gone is told of, and used again when it is back", async () => {
      await cache.set("a", Buffer.from("1"), Date.now());
      await server.kill();
      await assert.rejects(cache.get("a"), (error) => isDrayError(error, "NETWORK"));
      await assert.rejects(cache.set("a", Buffer.from("1"), Date.now()), (error) => isDrayError(error, "NETWORK"));
      await server.start();
      assert.equal(await cache.get("a"), undefined);
      await cache.set("a", Buffer.from("2"), Date.now());
      assert.equal(Buffer.from((await cache.get("a"))?.value ?? []).toString(), "2");
    });
  });

test("an item limit that leaves no room is refused", () => {
  const client = memcacheClient({ host: "127.0.0.1" });
  for (const itemLimit of [0, 1000, Number.NaN, 2 ** 31])
    assert.throws(
      () => memcachedCache(client, { itemLimit }),
      (error) => isDrayError(error, "USAGE"),
    );
});
