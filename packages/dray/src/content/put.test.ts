import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sampleIndex } from "@dray/testkit";
import { isDrayError } from "../errors.ts";
import { type Descriptor, digestOf, emptyDescriptor, encodeJson, mediaTypes, packManifest } from "../oci/index.ts";
import { bytesContent, collect } from "./bytes.ts";
import { memoryStore } from "./memory.ts";
import { attach, put, putManifest, readJson } from "./put.ts";
import { walk } from "./walk.ts";

const text = new TextEncoder().encode("hello");

describe("an artifact", () => {
  test("is put with its parts, the empty content and its names", async () => {
    const store = memoryStore();
    const layer = await put(store, text, { mediaType: "text/plain" });
    const manifest = packManifest({
      artifactType: "application/vnd.acme.note",
      layers: [layer],
      annotations: { a: "b" },
    });
    const descriptor = await putManifest(store, manifest, { tags: ["note", "latest"] });
    assert.deepEqual(await Array.fromAsync(store.tags()), ["latest", "note"]);
    assert.deepEqual(await store.resolve("note"), descriptor);
    assert.equal(
      new TextDecoder().decode(await collect(store.read(descriptor), 1e6, "manifest")),
      `{"schemaVersion":2,"mediaType":"${mediaTypes.ociManifest}","artifactType":"application/vnd.acme.note","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},"layers":[{"mediaType":"text/plain","digest":"${digestOf(text)}","size":5}],"annotations":{"a":"b"}}`,
    );
    assert.deepEqual(await readJson(store, emptyDescriptor()), {});
    assert.deepEqual(await readJson(store, descriptor), JSON.parse(JSON.stringify(manifest)));
  });

  test("is attached to a name or a descriptor, of which type, digest and size are told", async () => {
    const store = memoryStore();
    const root = await putManifest(store, packManifest({ artifactType: "a/b" }), { tags: ["1.0"] });
    const layers = [await put(store, text, { mediaType: "application/spdx+json" })];
    const named = await attach(store, "1.0", { artifactType: "application/spdx+json", layers });
    const same = await attach(
      store,
      { ...root, annotations: { x: "y" } },
      { artifactType: "application/spdx+json", layers },
    );
    assert.equal(same.digest, named.digest);
    const found = await Array.fromAsync(store.referrers(root));
    assert.deepEqual(found, [{ ...named, artifactType: "application/spdx+json" }]);
    await assert.rejects(attach(store, "none", { artifactType: "a/b" }), (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("has a type", () => {
    for (const parts of [{}, { artifactType: "note" }, { artifactType: "a/b; c" }, { config: emptyDescriptor() }])
      assert.throws(
        () => packManifest(parts),
        (error) => isDrayError(error, "USAGE"),
      );
    const config: Descriptor = {
      mediaType: "application/vnd.cncf.helm.config.v1+json",
      digest: digestOf(text),
      size: 5,
    };
    assert.equal(packManifest({ config }).artifactType, undefined);
  });
});

describe("putting", () => {
  test("bytes that are there sends nothing; a manifest's go where manifests are", async () => {
    const store = memoryStore();
    let writes = 0;
    const watched = {
      ...bound(store),
      write: async (...given: Parameters<typeof store.write>) => (writes++, store.write(...given)),
    };
    for (const _ of [1, 2]) await put(watched, text, { mediaType: "text/plain" });
    assert.equal(writes, 1);
    const bytes = encodeJson(packManifest({ artifactType: "a/b", subject: emptyDescriptor() }));
    const descriptor = await put(store, bytes, { mediaType: mediaTypes.ociManifest });
    assert.deepEqual(await Array.fromAsync(store.referrers(emptyDescriptor()), ({ digest }) => digest), [
      descriptor.digest,
    ]);
  });

  test("a manifest as bytes keeps them; what is none is refused", async () => {
    const store = memoryStore();
    const bytes = new TextEncoder().encode(
      `{ "schemaVersion": 2,\n "mediaType": "${mediaTypes.ociIndex}", "manifests": [] }`,
    );
    assert.equal((await putManifest(store, bytes)).digest, digestOf(bytes));
    await assert.rejects(putManifest(store, text), (error) => isDrayError(error, "MANIFEST_INVALID"));
  });

  const bound = (store: ReturnType<typeof memoryStore>) => ({
    has: store.has.bind(store),
    tag: store.tag.bind(store),
    close: store.close.bind(store),
  });
});

describe("a walk", () => {
  const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm64"] });
  const stored = async () => {
    const store = memoryStore();
    for (const bytes of index.blobs.values()) await put(store, bytes, { mediaType: "application/octet-stream" });
    for (const { bytes, mediaType } of index.manifests.values()) await put(store, bytes, { mediaType });
    return store;
  };

  test("meets parents before their children, with depth, kind and what names them", async () => {
    const met = await Array.fromAsync(walk(await stored(), index.root));
    assert.deepEqual(met.map(({ depth, kind }) => `${depth} ${kind}`).slice(0, 3), [
      "0 manifest",
      "1 manifest",
      "2 blob",
    ]);
    assert.equal(met.filter(({ depth }) => depth === 1).length, 2);
    assert.ok(
      met
        .slice(1)
        .every(({ parent, depth }) => parent !== undefined && (depth === 1) === (parent.digest === index.root.digest)),
    );
    assert.ok(met.every(({ kind, manifest }) => (kind === "manifest") === (manifest !== undefined)));
  });

  test("reads once what is named a thousand times, and not deeper than anybody nests", async () => {
    const store = memoryStore();
    let child: Descriptor = await putManifest(store, packManifest({ artifactType: "a/b" }));
    for (let level = 0; level < 20; level++) {
      const manifests = Array.from({ length: level < 3 ? 100 : 1 }, () => child);
      child = await putManifest(store, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
      if (level === 2) assert.equal((await Array.fromAsync(walk(store, child))).length, 1 + 300 + 2);
    }
    await assert.rejects(Array.fromAsync(walk(store, child)), (error) => isDrayError(error, "LIMIT_EXCEEDED"));
  });
});

test("content that is ingested is the same as content that is put", async () => {
  const [one, other] = [memoryStore(), memoryStore()];
  assert.deepEqual(
    await one.ingest(bytesContent(text), { mediaType: "text/plain" }),
    await put(other, text, { mediaType: "text/plain" }),
  );
});
