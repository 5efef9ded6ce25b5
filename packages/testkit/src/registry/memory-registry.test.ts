import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { digestOf, mediaTypes } from "dray/oci";
import { type Exchange, type ExchangeOptions, exchange } from "../exchange.ts";
import { put, sampleArtifact, sampleImage } from "../images/index.ts";
import { type MemoryRegistry, memoryRegistry } from "./memory-registry.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const hello = text("hello");
const helloDigest = digestOf(hello);

const to =
  (registry: MemoryRegistry) =>
  (method: string, target: string, options?: ExchangeOptions): Promise<Exchange> =>
    exchange(registry.handler, method, target, options);

const errorCode = (answer: Exchange): string => (answer.json() as { errors: [{ code: string }] }).errors[0].code;

suite("blobs", () => {
  const digest512 = digestOf(hello, "sha512");

  test("every way to push leads to the blob", async () => {
    const begin = async (send: ReturnType<typeof to>): Promise<string> =>
      (await send("POST", "/v2/a/b/blobs/uploads/")).header("Location") ?? "";
    const ways: Record<string, (send: ReturnType<typeof to>) => Promise<Exchange>> = {
      "POST with the body": (send) => send("POST", `/v2/a/b/blobs/uploads/?digest=${helloDigest}`, { body: hello }),
      "POST, PUT": async (send) => send("PUT", `${await begin(send)}&digest=${helloDigest}`, { body: hello }),
      "POST, PATCH without Content-Range, PUT": async (send) => {
        const patched = await send("PATCH", await begin(send), { body: hello });
        assert.deepEqual([patched.status, patched.header("Range")], [202, "0-4"]);
        return send("PUT", `${patched.header("Location")}&digest=${helloDigest}`);
      },
      "POST, PATCH, PATCH, PUT with the last chunk": async (send) => {
        const first = await send("PATCH", await begin(send), { body: "he", headers: { "Content-Range": "0-1" } });
        const location = first.header("Location") ?? "";
        const second = await send("PATCH", location, { body: "ll", headers: { "Content-Range": "2-3" } });
        assert.equal(second.header("Range"), "0-3");
        return send("PUT", `${location}&digest=${helloDigest}`, { body: "o", headers: { "Content-Range": "4-4" } });
      },
    };
    for (const [name, push] of Object.entries(ways)) {
      const registry = memoryRegistry();
      const send = to(registry);
      const pushed = await push(send);
      assert.equal(pushed.status, 201, name);
      assert.equal(pushed.header("Docker-Content-Digest"), helloDigest, name);
      const pulled = await send("GET", pushed.header("Location") ?? "");
      assert.deepEqual(pulled.bytes, hello, name);
      assert.deepEqual(await registry.uploads(), [], name);
    }
  });

  test("sha512 need not be announced", async () => {
    const send = to(memoryRegistry());
    const location = (await send("POST", "/v2/a/blobs/uploads/")).header("Location");
    const pushed = await send("PUT", `${location}&digest=${digest512}`, { body: hello });
    assert.deepEqual([pushed.status, pushed.header("Docker-Content-Digest")], [201, digest512]);
    assert.deepEqual((await send("GET", `/v2/a/blobs/${digest512}`)).bytes, hello);
    assert.equal((await send("GET", `/v2/a/blobs/${helloDigest}`)).status, 404);
  });

  test("ranges", async () => {
    const registry = memoryRegistry();
    const digest = registry.addBlob("a", text("0123456789"));
    for (const [range, status, body, contentRange] of [
      ["bytes=2-4", 206, "234", "bytes 2-4/10"],
      ["bytes=7-", 206, "789", "bytes 7-9/10"],
      ["bytes=-3", 206, "789", "bytes 7-9/10"],
      ["bytes=-30", 206, "0123456789", "bytes 0-9/10"],
      ["bytes=8-30", 206, "89", "bytes 8-9/10"],
      ["bytes=10-", 416, undefined, "bytes */10"],
      ["bytes=5-0", 416, undefined, "bytes */10"],
      ["lines=0-1", 200, "0123456789", undefined],
    ] as const) {
      const answer = await to(registry)("GET", `/v2/a/blobs/${digest}`, { headers: { Range: range } });
      assert.equal(answer.status, status, range);
      if (body !== undefined) assert.equal(Buffer.from(answer.bytes).toString(), body, range);
      assert.equal(answer.header("Content-Range"), contentRange, range);
      assert.equal(answer.header("Content-Length"), String(answer.bytes.byteLength), range);
    }
    const ignoring = memoryRegistry({ ranges: false });
    ignoring.addBlob("a", text("0123456789"));
    const whole = await to(ignoring)("GET", `/v2/a/blobs/${digest}`, { headers: { Range: "bytes=2-4" } });
    assert.deepEqual([whole.status, whole.bytes.byteLength], [200, 10]);
  });
});

suite("manifests", () => {
  test("exact bytes and type come back, by tag and by digest", async () => {
    const registry = memoryRegistry();
    const image = sampleImage({ layers: 1 });
    put(registry, "lib/app", "v1", image);
    for (const name of ["v1", image.root.digest]) {
      const got = await to(registry)("GET", `/v2/lib/app/manifests/${name}`);
      assert.equal(got.header("Content-Type"), mediaTypes.ociManifest);
      assert.equal(got.header("Docker-Content-Digest"), image.root.digest);
      assert.equal(digestOf(got.bytes), image.root.digest);
      const head = await to(registry)("HEAD", `/v2/lib/app/manifests/${name}`);
      assert.deepEqual([head.status, head.bytes.byteLength], [200, 0]);
      assert.equal(head.header("Content-Length"), String(got.bytes.byteLength));
    }
  });

  test("deleting a manifest takes its tags along", async () => {
    const registry = memoryRegistry();
    const image = sampleImage({ layers: 1 });
    put(registry, "a", "one", image);
    put(registry, "a", "two", image);
    assert.equal((await to(registry)("DELETE", `/v2/a/manifests/one`)).status, 202);
    assert.deepEqual(registry.tags("a"), ["two"]);
    assert.equal((await to(registry)("DELETE", `/v2/a/manifests/${image.root.digest}`)).status, 202);
    assert.deepEqual(registry.tags("a"), []);
    assert.equal((await to(registry)("GET", "/v2/a/manifests/two")).status, 404);
  });
});

test("a subject is answered by OCI-Subject and listed as a referrer", async () => {
  const registry = memoryRegistry();
  const image = sampleImage();
  put(registry, "a", "v1", image);
  const sbom = sampleArtifact({ subject: image.root });
  for (const bytes of sbom.blobs.values()) registry.addBlob("a", bytes);
  const pushed = await to(registry)("PUT", `/v2/a/manifests/${sbom.root.digest}`, {
    headers: { "Content-Type": sbom.root.mediaType },
    body: sbom.manifests.get(sbom.root.digest)?.bytes ?? "",
  });
  assert.deepEqual([pushed.status, pushed.header("OCI-Subject")], [201, image.root.digest]);
  const listed = await to(registry)("GET", `/v2/a/referrers/${image.root.digest}`);
  assert.equal(listed.header("Content-Type"), mediaTypes.ociIndex);
  assert.deepEqual((listed.json() as { manifests: unknown[] }).manifests, [
    { ...sbom.root, artifactType: "application/vnd.example.sbom.v1" },
  ]);
});

test("refusals carry the specification's code", async () => {
  const registry = memoryRegistry({ largestManifest: 1000 });
  put(registry, "a", "v1", sampleImage());
  const send = to(registry);
  const location = (await send("POST", "/v2/a/blobs/uploads/")).header("Location") ?? "";
  const json = { "Content-Type": mediaTypes.ociManifest };
  const missing = `sha256:${"0".repeat(64)}`;
  const manifestOf = (digest: string): string =>
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: mediaTypes.ociConfig, digest, size: 2 },
      layers: [],
    });
  for (const [method, target, options, status, code] of [
    ["GET", "/v2/none/manifests/v1", {}, 404, "NAME_UNKNOWN"],
    ["GET", "/v2/none/tags/list", {}, 404, "NAME_UNKNOWN"],
    ["GET", "/v2/a/manifests/v2", {}, 404, "MANIFEST_UNKNOWN"],
    ["GET", `/v2/a/manifests/${missing}`, {}, 404, "MANIFEST_UNKNOWN"],
    ["GET", "/v2/a/manifests/sha256:bad", {}, 400, "DIGEST_INVALID"],
    ["GET", `/v2/a/blobs/${missing}`, {}, 404, "BLOB_UNKNOWN"],
    ["GET", "/v2/a/blobs/bad", {}, 400, "DIGEST_INVALID"],
    ["GET", "/v2/A/blobs/bad", {}, 400, "NAME_INVALID"],
    ["GET", "/v2/a/referrers/bad", {}, 400, "DIGEST_INVALID"],
    ["PUT", "/v2/a/tags/list", {}, 405, "UNSUPPORTED"],
    ["DELETE", "/v2/a/manifests/v2", {}, 404, "MANIFEST_UNKNOWN"],
    ["PATCH", "/v2/a/blobs/uploads/nope", {}, 404, "BLOB_UPLOAD_UNKNOWN"],
    ["PATCH", location.split("?")[0] ?? "", {}, 404, "BLOB_UPLOAD_INVALID"],
    ["PATCH", location, { body: "x", headers: { "Content-Range": "5-5" } }, 416, "BLOB_UPLOAD_INVALID"],
    ["PATCH", location, { body: "x", headers: { "Content-Range": "0-5" } }, 400, "SIZE_INVALID"],
    ["PUT", location, {}, 400, "DIGEST_INVALID"],
    ["PUT", `${location}&digest=${missing}`, { body: "x" }, 400, "DIGEST_INVALID"],
    ["POST", "/v2/a/blobs/uploads/?digest-algorithm=md5", {}, 400, "DIGEST_INVALID"],
    ["PUT", "/v2/a/manifests/v1", { headers: json, body: "[]" }, 400, "MANIFEST_INVALID"],
    ["PUT", "/v2/a/manifests/v1", { headers: json, body: '{"mediaType":"other"}' }, 400, "MANIFEST_INVALID"],
    ["PUT", `/v2/a/manifests/${missing}`, { headers: json, body: manifestOf(missing) }, 400, "DIGEST_INVALID"],
    ["PUT", "/v2/a/manifests/v1", { headers: json, body: " ".repeat(1001) }, 413, "SIZE_INVALID"],
    ["PUT", "/v2/a/manifests/v1", { headers: json, body: manifestOf(missing) }, 400, "MANIFEST_BLOB_UNKNOWN"],
  ] as const) {
    const answer = await send(method, target, options);
    assert.deepEqual([answer.status, errorCode(answer)], [status, code], `${method} ${target}`);
  }
});
