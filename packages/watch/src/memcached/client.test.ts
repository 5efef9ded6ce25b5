import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { type CacheServer, freePort, startMemcached } from "@dray/testkit/peers";
import { type ErrorCode, isDrayError } from "dray/errors";
import { type MemcacheClient, memcacheClient } from "./index.ts";

const server = await startMemcached();
const missing = server === undefined && "memcached is not here";
const fails = (work: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> =>
  assert.rejects(work, (error) => isDrayError(error, code) && message.test(error.message));

describe("a memcached", { skip: missing }, () => {
  const running = server as CacheServer;
  let client: MemcacheClient;
  before(() => {
    client = memcacheClient({ host: running.host, timeout: 10_000 });
  });
  after(async () => {
    client.stop();
    await running.close();
  });
  const item = (key: string, value: string) => ({ key, value: Buffer.from(value) });
  const text = async (key: string): Promise<string | undefined> => {
    const found = await client.get(key);
    return found === undefined ? undefined : Buffer.from(found.value).toString();
  };

  test("set and get keep every byte and the flags", async () => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    await client.set({ key: "bytes", value, flags: 0xffff_ffff });
    const found = await client.get("bytes");
    assert.deepEqual(found?.value, value);
    assert.equal(found?.flags, 0xffff_ffff);
    await client.set({ key: "empty", value: Buffer.alloc(0) });
    assert.equal((await client.get("empty"))?.value.byteLength, 0);
    assert.equal(await client.get("never"), undefined);
  });

  test("add stores what is not there, replace what is", async () => {
    assert.equal(await client.replace(item("ar", "0")), false);
    assert.equal(await client.add(item("ar", "1")), true);
    assert.equal(await client.add(item("ar", "2")), false);
    assert.equal(await text("ar"), "1");
    assert.equal(await client.replace(item("ar", "3")), true);
    assert.equal(await text("ar"), "3");
  });

  test("compareAndSwap stores over what was read, and over nothing else", async () => {
    await client.set(item("cas", "1"));
    const first = await client.get("cas");
    assert.ok(first !== undefined);
    assert.equal(await client.compareAndSwap({ ...first, value: Buffer.from("2") }), "stored");
    assert.equal(await client.compareAndSwap({ ...first, value: Buffer.from("3") }), "changed");
    assert.equal(await text("cas"), "2");
    await client.delete("cas");
    assert.equal(await client.compareAndSwap(first), "gone");
  });

  test("numbers are counted in 64 bits, and never below zero", async () => {
    assert.equal(await client.increment("n", 1), undefined);
    assert.equal(await client.decrement("n", 1), undefined);
    await client.set(item("n", "9007199254740993"));
    assert.equal(await client.increment("n", 2), 9007199254740995n);
    assert.equal(await client.decrement("n", 9007199254740994n), 1n);
    assert.equal(await client.decrement("n", 5), 0n);
    assert.equal(await client.increment("n", 2n ** 64n - 1n), 2n ** 64n - 1n);
    assert.equal(await client.increment("n", 1), 0n);
    await client.set(item("word", "seven"));
    await fails(client.increment("word", 1), "CACHE", /refused incr word: CLIENT_ERROR .*non-numeric/);
    for (const delta of [-1, 1.5, Number.NaN, 2n ** 64n])
      await fails(client.increment("n", delta), "USAGE", /whole number of 64 bits/);
  });

  test("delete, touch and expiration", async () => {
    await client.set(item("gone", "1"));
    assert.equal(await client.touch("gone", 3600), true);
    assert.equal(await client.delete("gone"), true);
    assert.equal(await client.delete("gone"), false);
    assert.equal(await client.touch("gone", 3600), false);
    await client.set({ ...item("past", "1"), expiration: -1 });
    assert.equal(await text("past"), undefined);
    await client.set(item("touched", "1"));
    assert.equal(await client.touch("touched", -1), true);
    assert.equal(await text("touched"), undefined);
    // Above 30 days it is a time since 1970, which this is not yet, or not any more.
    await client.set({ ...item("late", "1"), expiration: 0x7fff_ffff });
    assert.equal(await text("late"), "1");
    await client.set({ ...item("early", "1"), expiration: 30 * 86_400 + 1 });
    assert.equal(await text("early"), undefined);
  });

  test("getMulti finds what is there of a thousand keys", async () => {
    const keys = Array.from({ length: 1000 }, (_, at) => `multi|${at}|${"x".repeat(230)}`);
    await Promise.all(keys.filter((_, at) => at % 2 === 0).map((key) => client.set(item(key, key))));
    const found = await client.getMulti([...keys, ...keys]);
    assert.equal(found.size, 500);
    for (const [key, { value }] of found) assert.equal(Buffer.from(value).toString(), key);
    assert.equal((await client.getMulti([])).size, 0);
  });

  test("a value above the limit of the server is told with its size, and what was asked beside it is answered", async () => {
    const large = { key: "large", value: Buffer.alloc(2 ** 20 + 1, "x") };
    const [failed, stored, read] = await Promise.allSettled([
      client.set(large),
      client.set(item("beside", "1")),
      text("beside"),
    ]);
    assert.equal(stored.status, "fulfilled");
    assert.ok(read.status === "fulfilled" && read.value === "1");
    assert.equal(failed.status, "rejected");
    await fails(
      client.set(large),
      "LIMIT_EXCEEDED",
      /^large has 1048577 bytes: more than memcached at 127\.0\.0\.1:\d+ takes/,
    );
    const most = { key: "most", value: Buffer.alloc(2 ** 20 - 512, 1) };
    await client.set(most);
    assert.deepEqual((await client.get("most"))?.value, most.value);
  });

  test("keys that memcached takes for none are refused before anything is sent", async () => {
    await fails(client.get("k".repeat(251)), "LIMIT_EXCEEDED", /has 251 bytes; memcached takes 250/);
    await fails(client.set(item("ü".repeat(126), "")), "LIMIT_EXCEEDED", /has 252 bytes/);
    for (const key of ["", "a b", "a\r\nflush_all\r\n", "a\u0000", "\u007f", "\t"])
      for (const work of [
        () => client.get(key),
        () => client.getMulti(["fine", key]),
        () => client.set(item(key, "")),
        () => client.add(item(key, "")),
        () => client.delete(key),
        () => client.touch(key, 1),
        () => client.increment(key, 1),
      ])
        await fails(work(), "USAGE", /is no key of memcached: it (?:is empty|has blanks or control characters)$/);
    await client.set(item("ü".repeat(125), "1"));
    assert.equal(await text("ü".repeat(125)), "1");
    for (const expiration of [1.5, 2 ** 31, Number.NaN]) {
      await fails(client.set({ ...item("a", ""), expiration }), "USAGE", /whole seconds/);
      await fails(client.touch("a", expiration), "USAGE", /whole seconds/);
    }
    await fails(client.set({ ...item("a", ""), flags: -1 }), "USAGE", /flags of a are -1/);
  });

  test("a signal ends the wait, and the next question is answered", async () => {
    await client.set(item("signal", "1"));
    running.pause();
    const controller = new AbortController();
    const waiting = client.get("signal", { signal: controller.signal });
    controller.abort();
    await fails(waiting, "ABORTED", /interrupted/);
    running.resume();
    assert.equal(await text("signal"), "1");
    await fails(client.set(item("signal", "2"), { signal: AbortSignal.abort() }), "ABORTED", /interrupted/);
    assert.equal(await text("signal"), "1");
  });

  test("a server that was killed is told of, and used again as soon as it is back", async () => {
    await client.set(item("before", "1"));
    await running.kill();
    await fails(client.get("before"), "NETWORK", /^memcached at 127\.0\.0\.1:\d+ (?:cannot be reached|was lost)/);
    await fails(client.add(item("before", "1")), "NETWORK", /cannot be reached: .*ECONNREFUSED/);
    await running.start();
    assert.equal(await text("before"), undefined);
    await client.set(item("after", "1"));
    // Whoever had a connection that is dead by now does not hear of it.
    await running.kill();
    await running.start();
    assert.equal(await text("after"), undefined);
  });

  test("a slow server is waited for until the time-out", async () => {
    const impatient = memcacheClient({ host: running.host, timeout: 50 });
    running.pause();
    try {
      const both = [impatient.get("a"), impatient.add(item("slow", "b"))];
      for (const work of both)
        await fails(
          work,
          "TIMEOUT",
          /^memcached at 127\.0\.0\.1:\d+ (?:has not answered|was not reached) within 50 ms$/,
        );
    } finally {
      running.resume();
      impatient.stop();
    }
    assert.equal(await client.get("never"), undefined);
  });

  test("flushAll and deleteAll empty it", async () => {
    for (const empty of ["flushAll", "deleteAll"] as const) {
      await client.set(item("full", "1"));
      await client[empty]();
      assert.equal(await text("full"), undefined);
    }
  });

  test("a client that was stopped says so", async () => {
    const stopped = memcacheClient({ host: running.host });
    await stopped.get("a");
    running.pause();
    const waiting = stopped.get("a");
    await new Promise(setImmediate);
    stopped.stop();
    await fails(waiting, "NETWORK", /stopped/);
    running.resume();
    await fails(stopped.get("a"), "USAGE", /stopped/);
  });
});

test("a port where nobody listens, and one where something else does", async () => {
  const nobody = memcacheClient({ host: `127.0.0.1:${await freePort()}` });
  await fails(nobody.get("a"), "NETWORK", /cannot be reached: .*ECONNREFUSED/);
  nobody.stop();
  const http = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => void socket.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const client = memcacheClient({ host: `127.0.0.1:${(http.address() as AddressInfo).port}`, timeout: 10_000 });
  for (const work of [
    () => client.get("a"),
    () => client.set({ key: "a", value: Buffer.alloc(1) }),
    () => client.delete("a"),
  ])
    await fails(work(), "CACHE", /is no memcached: it answered "HTTP\/1\.1 400 Bad Request"$/);
  client.stop();
  http.close();
});

test("options that make no sense are refused at once", () => {
  for (const options of [
    { host: [] },
    { host: "a:b" },
    { host: ["a", "b"], service: "memcached" },
    { host: "a", timeout: 0 },
    { host: "a", timeout: Number.NaN },
    { host: "a", updateInterval: -1 },
  ])
    assert.throws(
      () => memcacheClient(options),
      (error) => isDrayError(error, "USAGE"),
    );
});
