import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, mediaTypes } from "dray/oci";
import { type Exchange, exchange } from "../exchange.ts";
import { put, sampleArtifact, sampleImage } from "../images/index.ts";
import { describeContent, syntheticContent } from "../synthetic.ts";
import { type MemoryRegistry, memoryRegistry } from "./memory-registry.ts";
import type { MemoryRegistryOptions } from "./options.ts";

const hello = new TextEncoder().encode("hello");
const digest = digestOf(hello);

const holding = (options: MemoryRegistryOptions): MemoryRegistry => {
  const registry = memoryRegistry(options);
  registry.addBlob("a", hello);
  put(registry, "a", "v1", sampleImage());
  return registry;
};

test("each option changes one thing", async () => {
  const mount = `/v2/b/blobs/uploads/?mount=${digest}`;
  for (const [options, method, target, status] of [
    [{}, "POST", `${mount}&from=a`, 201],
    [{}, "POST", mount, 201],
    [{}, "POST", `${mount}&from=elsewhere`, 202],
    [{ mounts: "named" }, "POST", `${mount}&from=a`, 201],
    [{ mounts: "named" }, "POST", mount, 202],
    [{ mounts: false }, "POST", `${mount}&from=a`, 202],
    [{}, "DELETE", `/v2/a/blobs/${digest}`, 202],
    [{ deletes: false }, "DELETE", `/v2/a/blobs/${digest}`, 405],
    [{}, "DELETE", "/v2/a/manifests/v1", 202],
    [{ deletes: false }, "DELETE", "/v2/a/manifests/v1", 405],
    [{}, "GET", `/v2/a/referrers/${digest}`, 200],
    [{ referrers: false }, "GET", `/v2/a/referrers/${digest}`, 404],
    [{}, "POST", `/v2/a/blobs/uploads/?digest=${digestOf(new Uint8Array())}`, 201],
    [{ singlePost: false }, "POST", `/v2/a/blobs/uploads/?digest=${digestOf(new Uint8Array())}`, 202],
  ] as const) {
    const answer = await exchange(holding(options).handler, method, target);
    assert.equal(answer.status, status, `${JSON.stringify(options)} ${method} ${target}`);
  }
});

test("a blob is seen in the repositories it was pushed or mounted to, and nowhere else", async () => {
  const { handler } = holding({});
  const seen = async (): Promise<number> => (await exchange(handler, "HEAD", `/v2/b/blobs/${digest}`)).status;
  assert.equal(await seen(), 404);
  await exchange(handler, "POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`);
  assert.equal(await seen(), 200);
  await exchange(handler, "DELETE", `/v2/a/blobs/${digest}`);
  assert.equal(await seen(), 200);
});

const begin = async ({ handler }: MemoryRegistry): Promise<Exchange> =>
  exchange(handler, "POST", "/v2/a/blobs/uploads/");

test("uploads: absolute locations, chunks refused, chunks with a least length, cancelled", async () => {
  const absolute = await begin(memoryRegistry({ absoluteLocations: true }));
  assert.match(absolute.header("Location") ?? "", /^http:\/\/registry\.test\/v2\/a\/blobs\/uploads\//);

  const whole = memoryRegistry({ chunks: false });
  const location = (await begin(whole)).header("Location") ?? "";
  assert.equal((await exchange(whole.handler, "PATCH", location, { body: hello })).status, 405);
  assert.equal((await exchange(whole.handler, "PUT", `${location}&digest=${digest}`, { body: hello })).status, 201);

  const least = memoryRegistry({ chunkMinLength: 4 });
  const begun = await begin(least);
  assert.equal(begun.header("OCI-Chunk-Min-Length"), "4");
  const at = begun.header("Location") ?? "";
  assert.equal((await exchange(least.handler, "PATCH", at, { body: "hel" })).status, 202);
  assert.equal((await exchange(least.handler, "PATCH", at, { body: "lo" })).status, 400);

  assert.equal((await exchange(least.handler, "DELETE", at)).status, 204);
  assert.equal((await exchange(least.handler, "GET", at)).status, 404);
});

test("the status of an upload says what came; nothing yet is 0-0", async () => {
  const registry = memoryRegistry();
  const location = (await begin(registry)).header("Location") ?? "";
  const status = async (): Promise<unknown[]> => {
    const answer = await exchange(registry.handler, "GET", location);
    return [answer.status, answer.header("Range"), answer.header("Location")];
  };
  assert.deepEqual(await status(), [204, "0-0", location]);
  await exchange(registry.handler, "PATCH", location, { body: hello });
  assert.deepEqual(await status(), [204, "0-4", location]);
  await registry.dropUploads();
  assert.equal((await status())[0], 404);
});

test("HEAD without a digest, and conditional writes", async () => {
  const plain = await exchange(holding({ headDigest: false }).handler, "HEAD", "/v2/a/manifests/v1");
  assert.equal(plain.header("Docker-Content-Digest"), undefined);
  const got = await exchange(holding({ headDigest: false }).handler, "GET", "/v2/a/manifests/v1");
  assert.equal(got.header("Docker-Content-Digest"), sampleImage().root.digest);

  const registry = holding({ conditional: true });
  const etag = (await exchange(registry.handler, "GET", "/v2/a/manifests/v1")).header("ETag") ?? "";
  const body = '{"schemaVersion":2,"manifests":[]}';
  const push = async (tag: string, condition: Record<string, string>): Promise<number> => {
    const headers = { "Content-Type": mediaTypes.ociIndex, ...condition };
    return (await exchange(registry.handler, "PUT", `/v2/a/manifests/${tag}`, { headers, body })).status;
  };
  assert.equal(await push("v1", { "If-Match": '"sha256:other"' }), 412);
  assert.equal(await push("v1", { "If-Match": etag }), 201);
  assert.equal(await push("v1", { "If-Match": etag }), 412);
  assert.equal(await push("v1", { "If-None-Match": "*" }), 412);
  assert.equal(await push("new", { "If-None-Match": "*" }), 201);
  assert.equal(await push("none", { "If-Match": "*" }), 412);
});

test("a manifest by digest may bring tags along", async () => {
  const registry = memoryRegistry();
  const artifact = sampleArtifact();
  for (const bytes of artifact.blobs.values()) registry.addBlob("a", bytes);
  const { bytes, mediaType } = artifact.manifests.get(artifact.root.digest) ?? assert.fail();
  const headers = { "Content-Type": mediaType };
  const target = `/v2/a/manifests/${artifact.root.digest}`;
  const pushed = await exchange(registry.handler, "PUT", `${target}?tag=x&tag=y`, { headers, body: bytes });
  assert.deepEqual([pushed.status, pushed.header("OCI-Tag")], [201, "x, y"]);
  assert.deepEqual(registry.tags("a"), ["x", "y"]);
  const digest512 = digestOf(bytes, "sha512");
  await exchange(registry.handler, "PUT", `/v2/a/manifests/${digest512}?tag=z`, { headers, body: bytes });
  const byTag = await exchange(registry.handler, "HEAD", "/v2/a/manifests/z");
  assert.equal(byTag.header("Docker-Content-Digest"), digest512);
});

test("content that is made as it is read, whole and in ranges", async () => {
  const registry = memoryRegistry();
  const made = await describeContent(syntheticContent("seed", 1_000_000));
  registry.addContent("a", made);
  const target = `/v2/a/blobs/${made.descriptor.digest}`;
  const whole = await exchange(registry.handler, "GET", target);
  assert.equal(digestOf(whole.bytes), made.descriptor.digest);
  const part = await exchange(registry.handler, "GET", target, { headers: { Range: "bytes=300007-600010" } });
  assert.deepEqual(part.bytes, whole.bytes.slice(300_007, 600_011));
});

test("a sink hashes what is pushed, and has it no more", async () => {
  for (const [algorithm, announce] of [
    ["sha256", ""],
    ["sha512", "?digest-algorithm=sha512"],
  ] as const) {
    const registry = memoryRegistry({ sink: true });
    const digest = digestOf(hello, algorithm);
    const location = (await exchange(registry.handler, "POST", `/v2/a/blobs/uploads/${announce}`)).header("Location");
    await exchange(registry.handler, "PATCH", location ?? "", { body: "he" });
    const target = `${location}&digest=${digest}`;
    assert.equal((await exchange(registry.handler, "PUT", target, { body: "llo" })).status, 201);
    assert.deepEqual(registry.blob("a", digest), { size: 5, content: undefined });
    const head = await exchange(registry.handler, "HEAD", `/v2/a/blobs/${digest}`);
    assert.deepEqual([head.status, head.header("Content-Length")], [200, "5"]);
    await assert.rejects(exchange(registry.handler, "GET", `/v2/a/blobs/${digest}`), /keeps only sizes and digests/);
  }
  const registry = memoryRegistry({ sink: true });
  const wrong = `/v2/a/blobs/uploads/?digest=${digestOf(hello)}`;
  assert.equal((await exchange(registry.handler, "POST", wrong, { body: "other" })).status, 400);
});
