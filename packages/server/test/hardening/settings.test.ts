import assert from "node:assert/strict";
import { test } from "node:test";
import { exchange } from "@dray/testkit";
import { bytesBody } from "dray/content";
import { mediaTypes } from "dray/oci";
import { filled, reads } from "./lesson.ts";
import { image } from "./sample.ts";

test("two types of one manifest that differ are refused, two that agree are not", async () => {
  const registry = filled();
  const put = async (...types: readonly string[]): Promise<number> => {
    const headers = types.map((type) => ["Content-Type", type] as const);
    const target = "/v2/app/manifests/new";
    return (await registry({ method: "PUT", origin: "http://a", target, headers, body: bytesBody(image) })).status;
  };
  assert.equal(await put(mediaTypes.ociManifest, mediaTypes.ociIndex), 400);
  assert.equal(await put("application/json", mediaTypes.ociManifest), 400);
  assert.equal(await put(mediaTypes.ociManifest, `${mediaTypes.ociManifest}; charset=utf-8`), 201);
  await registry.close();
});

test("a prefix is where the API is, and nowhere else", async () => {
  const registry = filled({ locations: { prefix: "/registry" } });
  for (const path of reads) {
    assert.equal((await exchange(registry, "GET", `/registry${path}`)).status, 200, path);
    for (const wrong of [
      path,
      `/registry2${path}`,
      `/registry/registry${path}`,
      `/Registry${path}`,
      `/%72egistry${path}`,
    ])
      assert.equal((await exchange(registry, "GET", wrong)).status, 404, wrong);
  }
  const begun = await exchange(registry, "POST", "/registry/v2/app/blobs/uploads/");
  const location = begun.header("Location") ?? "";
  assert.match(location, /^\/registry\/v2\/app\/blobs\/uploads\//);
  assert.equal((await exchange(registry, "GET", location)).status, 204);
  const page = await exchange(registry, "GET", "/registry/v2/_catalog?n=1");
  assert.equal(page.status, 200);
  await registry.close();
});

test("what a client writes into the key of a page counts as memory", async () => {
  const registry = filled({ memory: 1024 * 1024 });
  const { lists } = registry.context;
  await exchange(registry, "GET", `/v2/app/tags/list?last=${"a".repeat(10_000)}`);
  assert.ok(lists.bytes > 10_000, `${lists.bytes}`);
  for (let i = 0; i < 100; i++) await exchange(registry, "GET", `/v2/app/tags/list?last=${"a".repeat(10_000)}${i}`);
  assert.ok(lists.bytes <= 512 * 1024, `${lists.bytes}`);
  await registry.close();
});

test("a registry that is about to stop says so, and is no fault", async () => {
  const notices: string[] = [];
  const registry = filled({ onNotice: ({ message }) => notices.push(message) });
  await registry.context.uploads.close();
  for (const [method, target] of [
    ["POST", "/v2/app/blobs/uploads/"],
    ["PATCH", "/v2/app/blobs/uploads/01234567-89ab-cdef-0123-456789abcdef"],
  ] as const) {
    const answer = await exchange(registry, method, target, { body: "x" });
    assert.equal(answer.status, 503);
    assert.ok(answer.header("Retry-After") !== undefined);
  }
  assert.deepEqual(notices, []);
  await registry.close();
});
