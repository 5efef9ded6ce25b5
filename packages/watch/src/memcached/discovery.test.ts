import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type SrvRecord, startDnsServer } from "@dray/testkit";
import { type CacheServer, startMemcached } from "@dray/testkit/peers";
import { isDrayError } from "dray/errors";
import { memcacheClient } from "./index.ts";

const service = "memcached";
const name = "_memcached._tcp.cache.test";
const resolverOf = (host: string): Resolver => {
  const resolver = new Resolver();
  resolver.setServers([host]);
  return resolver;
};

test("before servers are found a client waits for its time-out, and says that there are none yet", async (t) => {
  const dns = await startDnsServer();
  t.after(() => dns.close());
  const heard: string[] = [];
  const options = { host: "cache.test", service, updateInterval: 60_000, resolver: resolverOf(dns.host) };
  const client = memcacheClient({ ...options, timeout: 80, onNotice: (message) => heard.push(message) });
  while (heard.length === 0) await sleep(5);
  for (const work of [client.get("a"), client.flushAll()])
    await assert.rejects(
      work,
      (error) =>
        isDrayError(error, "NETWORK") &&
        error.retryable &&
        error.message.startsWith("no servers yet: _memcached._tcp.cache.test: "),
    );
  client.stop();
  assert.equal(heard.length, 1);
  assert.match(heard[0] ?? "", /are not found by _memcached\._tcp\.cache\.test: .*ENOTFOUND/);
  assert.ok(dns.asked.includes(`SRV ${name}`));
});

test("a signal ends the wait for servers", async (t) => {
  const dns = await startDnsServer();
  t.after(() => dns.close());
  const client = memcacheClient({ host: "cache.test", service, timeout: 60_000, resolver: resolverOf(dns.host) });
  const controller = new AbortController();
  const waiting = client.get("a", { signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, (error) => isDrayError(error, "ABORTED"));
  client.stop();
});

const servers = [await startMemcached(), await startMemcached()];

test("servers are found, followed when they change, and kept while the name server is away", {
  skip: servers.includes(undefined) && "memcached is not here",
}, async () => {
  const [one, two] = servers as [CacheServer, CacheServer];
  const record = ({ port }: CacheServer): SrvRecord => ({ name: "localhost.", port });
  const dns = await startDnsServer();
  const heard: string[] = [];
  const client = memcacheClient({
    host: "cache.test",
    service,
    timeout: 30_000,
    updateInterval: 20,
    resolver: resolverOf(dns.host),
    onNotice: (message) => heard.push(message),
  });
  // Asked before there is anything: the answer comes when the servers do.
  const early = client.get("a");
  await sleep(1);
  dns.records.set(name, [record(two), record(one)]);
  assert.equal(await early, undefined);

  const keys = Array.from({ length: 40 }, (_, at) => `key-${at}`);
  const held = async (server: CacheServer): Promise<number> => {
    const alone = memcacheClient({ host: server.host, timeout: 30_000 });
    const { size } = await alone.getMulti(keys);
    alone.stop();
    return size;
  };
  for (const key of keys) await client.set({ key, value: Buffer.from(key) });
  assert.equal((await client.getMulti(keys)).size, keys.length);
  const [ofOne, ofTwo] = [await held(one), await held(two)];
  assert.equal(ofOne + ofTwo, keys.length);
  assert.ok(ofOne > 0 && ofTwo > 0);

  // The order of the answer is of no matter; a server less is.
  dns.records.set(name, [record(one), record(two)]);
  assert.equal((await client.getMulti(keys)).size, keys.length);
  dns.records.set(name, [record(one)]);
  while ((await client.getMulti(keys)).size !== ofOne) await sleep(5);
  dns.records.delete(name);
  while (!heard.some((message) => message.endsWith("; those that were known are used on"))) await sleep(5);
  assert.equal((await client.getMulti(keys)).size, ofOne);

  dns.records.set(name, [record(one), record(two)]);
  while ((await client.getMulti(keys)).size !== keys.length) await sleep(5);
  await client.flushAll();
  assert.deepEqual([await held(one), await held(two)], [0, 0]);
  client.stop();
  await Promise.all([dns.close(), one.close(), two.close()]);
});
