import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricsPage, promRegistry } from "@dray/service/observe";
import { startMemcached } from "@dray/testkit/peers";
import { instrumentedMemcacheClient, type MemcacheCall, memcacheClient, memcacheDurations } from "./index.ts";

const server = await startMemcached();

test("each call is told of by its method and by whether it did what was asked, and counted under flux's name", {
  skip: server === undefined && "memcached is not here",
}, async () => {
  if (server === undefined) return;
  const durations = memcacheDurations();
  const calls: MemcacheCall[] = [];
  const client = instrumentedMemcacheClient(memcacheClient({ host: server.host, timeout: 30_000 }), (call) => {
    calls.push(call);
    durations.observe({ method: call.method }, call.success, call.seconds);
  });
  const item = { key: "a", value: Buffer.from("1") };
  await client.get("a");
  await client.replace(item);
  await client.add(item);
  await client.set(item);
  const found = await client.get("a");
  await client.compareAndSwap({ ...item, cas: found?.cas ?? 0n });
  await client.compareAndSwap({ ...item, cas: 1n });
  await client.getMulti(["a", "b"]);
  await client.increment("a", 1);
  await client.decrement("b", 1);
  await client.touch("a", 60);
  await client.delete("a");
  await client.deleteAll();
  await client.flushAll();
  await server.close();
  await assert.rejects(client.set(item));
  client.stop();
  assert.deepEqual(
    calls.map(({ method, success }) => `${method} ${success}`),
    [
      "Get false",
      "Replace false",
      "Add true",
      "Set true",
      "Get true",
      "CompareAndSwap true",
      "CompareAndSwap false",
      "GetMulti true",
      "Increment true",
      "Decrement false",
      "Touch true",
      "Delete true",
      "DeleteAll true",
      "FlushAll true",
      "Set false",
    ],
  );
  assert.ok(calls.every(({ seconds }) => seconds >= 0 && seconds < 60));
  const pages = new MetricsPage(await promRegistry({ processes: false }));
  pages.add([durations.family()]);
  const page = await pages.text();
  assert.match(page, /^# TYPE flux_memcache_request_duration_seconds histogram$/m);
  assert.match(page, /^flux_memcache_request_duration_seconds_count\{method="Get",success="true"\} 1$/m);
  assert.match(page, /^flux_memcache_request_duration_seconds_bucket\{method="Set",success="false",le="\+Inf"\} 1$/m);
});
