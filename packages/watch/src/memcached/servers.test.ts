import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { sortedServers } from "./discovery.ts";
import { pickServer, serverOf } from "./servers.ts";

test("an address is a host, a host with a port, or the path of a socket", () => {
  for (const [address, name, at] of [
    ["cache", "cache:11211", { host: "cache", port: 11211 }],
    ["127.0.0.1:7", "127.0.0.1:7", { host: "127.0.0.1", port: 7 }],
    ["[::1]:11212", "[::1]:11212", { host: "::1", port: 11212 }],
    ["[fe80::2]", "[fe80::2]:11211", { host: "fe80::2", port: 11211 }],
    ["/run/memcached.sock", "/run/memcached.sock", { path: "/run/memcached.sock" }],
  ] as const)
    assert.deepEqual(serverOf(address), { name, at }, address);
  for (const address of ["", ":11211", "a:0", "a:65536", "a:b", "::1", "a b", "a:1:2"])
    assert.throws(
      () => serverOf(address),
      (error) => isDrayError(error, "USAGE"),
      address,
    );
});

test("a key is on the server that gomemcache picks for it", () => {
  // By gomemcache's ServerList of so many servers: the index that PickServer chose for each key.
  const chosen: readonly (readonly [key: string, ofTwo: number, ofThree: number, ofSeven: number])[] = [
    ["registryrepov4|index.docker.io/library/alpine", 1, 0, 6],
    ["registryhistoryv3|index.docker.io/fluxcd/flux|1.25.4", 0, 1, 1],
    ["registryrepov4|quay.io/team/app", 1, 2, 1],
    ["a", 1, 0, 4],
    ["schlüssel", 0, 0, 6],
    ["k".repeat(250), 1, 0, 4],
  ];
  const list = (count: number) => Array.from({ length: count }, (_, at) => serverOf(`127.0.0.1:${7000 + at}`));
  for (const [key, ofTwo, ofThree, ofSeven] of chosen)
    for (const [count, at] of [
      [2, ofTwo],
      [3, ofThree],
      [7, ofSeven],
    ] as const)
      assert.equal(pickServer(list(count), key)?.name, `127.0.0.1:${7000 + at}`, `${key} of ${count}`);
  assert.equal(pickServer(list(1), "anything")?.name, "127.0.0.1:7000");
  assert.equal(pickServer([], "anything"), undefined);
});

test("targets of SRV records are in the order of their complete names, ports as text", () => {
  const records = [
    { name: "cache1", port: 11211 },
    { name: "cache.b", port: 1 },
    { name: "cache", port: 9 },
    { name: "cache-2", port: 11211 },
    { name: "cache", port: 11211 },
    { name: ".", port: 1 },
    { name: "", port: 1 },
  ];
  const expected = ["cache-2:11211", "cache:11211", "cache:9", "cache.b:1", "cache1:11211"];
  for (const order of [records, records.toReversed()])
    assert.deepEqual(
      sortedServers(order).map(({ name }) => name),
      expected,
    );
});
