import assert from "node:assert/strict";
import { test } from "node:test";
import { cached, type ImageEntry, parseRepository } from "@dray/watch";
import { isDrayError } from "dray/errors";
import { digestOf } from "dray/oci";
import { mockCache, mockClient, mockClientFactory } from "./index.ts";

const digest = digestOf(new Uint8Array());
const v1: ImageEntry = { info: { id: "registry.example/team/app:v1", digest } };

test("a client answers what it was told, fails where it was told to, and remembers what it was asked", async () => {
  const client = mockClient({ entries: { v1, v2: new Error("broken") } });
  assert.equal(client.repository.text, "registry.example/team/app");
  assert.deepEqual(await client.tags(), { tags: ["v1", "v2"], complete: true, faults: [] });
  assert.equal(await client.digest("v1"), digest);
  assert.equal(await client.manifest("v1"), v1);
  await assert.rejects(client.manifest("v2"), /^Error: broken$/);
  for (const tag of ["v3", "toString"])
    await assert.rejects(client.digest(tag), (error) => isDrayError(error, "NOT_FOUND"));
  await assert.rejects(client.tags({ signal: AbortSignal.abort() }), (error) => isDrayError(error, "ABORTED"));
  assert.deepEqual(
    client.calls.map(({ kind, tag }) => `${kind} ${tag ?? ""}`.trim()),
    ["tags", "digest v1", "manifest v1", "manifest v2", "digest v3", "digest toString", "tags"],
  );
});

test("a list may be unfinished, or fail, and change between two calls", async () => {
  const answers: Parameters<typeof mockClient>[0] = {
    repository: "alpine",
    tags: { tags: ["a"], complete: false, faults: ["cut"] },
  };
  const client = mockClient(answers);
  assert.equal((await client.tags()).complete, false);
  answers.tags = new Error("gone");
  await assert.rejects(client.tags(), /gone/);
  answers.tags = ["a", "b"];
  assert.deepEqual((await client.tags()).tags, ["a", "b"]);
});

test("a factory gives the client it was told, and one that fails gives none", async () => {
  const client = mockClient();
  const repository = parseRepository("alpine");
  const factory = mockClientFactory(client);
  assert.equal(await factory.clientFor(repository), client);
  factory.succeed(repository);
  await factory.close();
  assert.deepEqual([factory.asked, factory.succeeded, factory.closed], [[repository], [repository], true]);
  const each = mockClientFactory(({ text }) => mockClient({ repository: text }));
  assert.equal((await each.clientFor(repository)).repository.text, "docker.io/library/alpine");
  const failing = mockClientFactory(client, new Error("no credentials"));
  await assert.rejects(failing.clientFor(repository), /no credentials/);
  assert.deepEqual(failing.asked, [repository]);
});

test("a cache keeps what it was given until it is broken", async () => {
  const client = mockClient({ entries: { v1 } });
  const cache = mockCache();
  const warnings: string[] = [];
  const app = cached(client, cache, { onWarning: (message) => void warnings.push(message) });
  for (let i = 0; i < 3; i++) assert.deepEqual(await app.manifest("v1"), v1);
  assert.equal(client.calls.length, 1);
  assert.equal(cache.kept.size, 1);
  cache.broken = true;
  await app.manifest("v1");
  assert.equal(client.calls.length, 2);
  assert.equal(warnings.length, 2);
  await assert.rejects(cache.delete("x"), (error) => isDrayError(error, "NETWORK"));
});
