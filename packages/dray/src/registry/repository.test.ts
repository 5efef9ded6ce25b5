import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryRegistry, put, sampleImage, seededBytes } from "@dray/testkit";
import { anonymous } from "../auth/index.ts";
import {
  bytesContent,
  checksDigests,
  collect,
  describes,
  hasReferrers,
  hasTags,
  ingests,
  keepsArrived,
  keepsReferenced,
  looksUp,
  memoryStore,
  mountsFrom,
  removes,
  type WritableStore,
  writesNamed,
} from "../content/index.ts";
import { copy } from "../copy/index.ts";
import type { HttpRequest } from "../http/index.ts";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { connect } from "./connect.ts";
import type { Registry } from "./registry.ts";
import type { Repository } from "./repository.ts";

const image = sampleImage();
const bytes = seededBytes("repository", 1000);
const blob: Descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.byteLength };

const setup = (): { client: Registry; repository: Repository; seen: HttpRequest[]; asked(): string[] } => {
  const registry = memoryRegistry();
  put(registry, "a/b", "v1", image);
  const seen: HttpRequest[] = [];
  const connection = (request: HttpRequest): ReturnType<typeof registry.handler> => (
    seen.push(request), registry.handler(request)
  );
  const client = connect("r.test", { credentials: anonymous, connection, stateDir: false });
  const asked = (): string[] => seen.map(({ method, target }) => `${method} ${target.split("/")[4]}`);
  return { client, repository: client.repository("a/b"), seen, asked };
};

test("a repository can do all that a store may", () => {
  const { repository } = setup();
  for (const can of [
    checksDigests,
    describes,
    hasReferrers,
    hasTags,
    ingests,
    keepsArrived,
    keepsReferenced,
    looksUp,
    mountsFrom,
    removes,
    writesNamed,
  ])
    assert.ok(can(repository), can.name);
});

describe("the place of content", () => {
  test("follows its media type, unless somebody knows better", async () => {
    const at = setup();
    const manifest = await collect(at.repository.read(image.root), 1e6, "");
    await at.repository.has(image.root);
    await at.repository.has(image.config);
    await at.repository.write(image.root, bytesContent(manifest));
    assert.deepEqual(at.asked(), ["GET manifests", "HEAD manifests", "HEAD blobs", "PUT manifests"]);
    at.seen.length = 0;
    const cache = { ...blob, mediaType: mediaTypes.ociManifest };
    await at.repository.write(cache, bytesContent(bytes), { kind: "blob" });
    assert.equal(await at.repository.has(cache, { kind: "blob" }), true);
    assert.deepEqual(await collect(at.repository.read(cache, { kind: "blob" }), 1e6, ""), bytes);
    assert.deepEqual(await collect(at.repository.blob({ ...blob, mediaType: mediaTypes.ociIndex }), 1e6, ""), bytes);
    assert.deepEqual(at.asked(), ["POST blobs", "HEAD blobs", "GET blobs", "GET blobs"]);
  });

  test("what is let go of is read again", async () => {
    const at = setup();
    const { descriptor } = await at.repository.manifest("v1");
    await collect(at.repository.read(descriptor), 1e6, "");
    await at.repository.close();
    await collect(at.repository.read(descriptor), 1e6, "");
    assert.deepEqual(at.asked(), ["GET manifests", "GET manifests"]);
  });
});

test("each request says what it needs to be allowed", async () => {
  const { client, repository, seen } = setup();
  const pull = ["repository:a/b:pull"];
  const push = ["repository:a/b:pull,push"];
  const remove = ["repository:a/b:pull,delete"];
  const facts: readonly (readonly [what: string, work: () => Promise<unknown>, scopes: readonly string[]])[] = [
    ["resolve", () => repository.resolve("v1"), pull],
    ["manifest", () => repository.manifest("v1"), pull],
    ["has", () => repository.has(blob), pull],
    ["read", () => Array.fromAsync(repository.read(image.config)), pull],
    ["tags", () => Array.fromAsync(repository.tags()), pull],
    ["referrers", () => Array.fromAsync(repository.referrers(image.root)), pull],
    ["upload", () => repository.upload(blob, bytesContent(bytes)), push],
    ["tag", () => repository.tag(image.root, "v2"), push],
    ["remove", () => repository.remove("v2"), remove],
    ["catalog", () => Array.fromAsync(client.catalog()), ["registry:catalog:*"]],
    ["ping", () => client.ping(), []],
  ];
  for (const [what, work, scopes] of facts) {
    seen.length = 0;
    await work();
    assert.ok(seen.length > 0);
    for (const { context } of seen) assert.deepEqual(context?.scopes, scopes, what);
    if (what !== "catalog" && what !== "ping") assert.equal(seen[0]?.context?.repository, "a/b");
  }
});

test("an image goes from a registry into memory and back to another, byte for byte", async () => {
  const { repository } = setup();
  const memory = memoryStore();
  const between = { store: memory, name: "v1", location: "memory:v1" };
  await copy({ store: repository, name: "v1", location: "r.test/a/b:v1" }, between);
  const other = memoryRegistry();
  const target = connect("o.test", { credentials: anonymous, connection: other.handler, stateDir: false }).repository(
    "c",
  );
  const { root } = await copy(between, { store: target, name: "v2", location: "o.test/c:v2" });
  assert.deepEqual(root, image.root);
  assert.equal(other.manifest("c", "v2")?.digest, image.root.digest);
  for (const [digest, content] of image.blobs) assert.equal(other.blob("c", digest)?.size, content.byteLength);
});

test("a layer of a manifest's media type is a blob, also behind a store that passes copies of descriptors on", async () => {
  const source = memoryStore();
  const [layer, config] = [bytes, encodeJson({ os: "linux" })].map((content) => ({
    content,
    descriptor: { mediaType: mediaTypes.ociManifest, digest: digestOf(content), size: content.byteLength },
  })) as [Held, Held];
  for (const { descriptor, content } of [layer, config])
    await source.write(descriptor, bytesContent(content), { kind: "blob" });
  const manifest = { schemaVersion: 2, config: config.descriptor, layers: [layer.descriptor] };
  const root = await source.ingest(bytesContent(encodeJson(manifest)), { mediaType: mediaTypes.ociManifest });
  assert.deepEqual(await Array.fromAsync(source.referrers(root)), []);
  const at = setup();
  const repository = at.client.repository("c/d");
  const passing: WritableStore = {
    has: (descriptor, options) => repository.has({ ...descriptor }, options),
    write: (descriptor, content, options) => repository.write({ ...descriptor }, content, options),
    tag: (descriptor, name, options) => repository.tag({ ...descriptor }, name, options),
    close: () => repository.close(),
  };
  await copy(
    { store: source, name: root.digest, location: "memory:" },
    { store: passing, name: "v1", location: "c/d:v1" },
  );
  const count = (what: string): number => at.asked().filter((request) => request === what).length;
  assert.deepEqual([count("POST blobs"), count("HEAD blobs"), count("PUT manifests")], [2, 2, 2]);
});

interface Held {
  readonly content: Uint8Array;
  readonly descriptor: Descriptor;
}
