import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { sampleIndex, tar } from "@dray/testkit";
import { bytesContent, memoryStore } from "../content/index.ts";
import { digestOf, mediaTypes } from "../oci/index.ts";
import { compare } from "./compare.ts";
import { edit } from "./edit.ts";
import { type Image, imageFrom, viewOf } from "./index.ts";
import { byAnnotation, byDigest, byMediaType, byName, byPlatform, type Matcher } from "./matchers.ts";

const plain = tar([{ path: "a", kind: "file", bytes: new Uint8Array(5000) }]);

const image = (layer: Uint8Array, user = "1"): Promise<Image> =>
  imageFrom({
    config: { os: "linux", architecture: "amd64", config: { User: user, Env: ["A=1"] } },
    layers: [{ content: layer }],
  });

test("what differs is named, member by member", async () => {
  const [a, b] = [await image(plain), await image(plain, "2")];
  assert.deepEqual(await compare(a, await image(plain)), []);
  assert.deepEqual(await compare(a, b, { compressed: false }), [{ path: "config.config.User", a: "1", b: "2" }]);
  assert.deepEqual(
    (await compare(a, b)).map(({ path }) => path),
    ["configuration.digest", "config.config.User"],
  );
});

test("two ways to compress one layer are the same, if that does not count", async () => {
  const [a, b] = [await image(gzipSync(plain, { level: 1 })), await image(gzipSync(plain, { level: 9 }))];
  assert.deepEqual(await compare(a, b, { compressed: false }), []);
  assert.ok((await compare(a, b)).some(({ path }) => path === "layers[0].digest"));
  assert.deepEqual(
    (await compare(a, await image(plain), { compressed: false })).map(({ path }) => path),
    ["layers[0].mediaType"],
  );
});

test("two indexes, with what lies below them", async () => {
  const sample = sampleIndex({ attestations: true });
  const store = memoryStore();
  for (const [digest, bytes] of sample.blobs)
    await store.write({ mediaType: "", digest, size: bytes.byteLength }, bytesContent(bytes), { kind: "blob" });
  for (const [digest, { mediaType, bytes }] of sample.manifests)
    await store.write({ mediaType, digest, size: bytes.byteLength }, bytesContent(bytes));
  const before = await viewOf(store, sample.root);
  const made = await edit(
    before,
    {
      image: () => ({ config: (config) => ({ ...config, author: "me" }) }),
      index: (index) => ({ ...index, annotations: { a: "b" } }),
    },
    { platforms: ["linux/arm64"] },
  );
  const after = await viewOf(made.store, made.root);
  assert.deepEqual(await compare(before, before), []);
  assert.deepEqual(
    (await compare(before, after, { compressed: false })).filter(({ path }) => !path.startsWith("manifests[3]")),
    [
      { path: "manifests[1].config.author", a: undefined, b: "me" },
      { path: "annotations", a: undefined, b: { a: "b" } },
    ],
  );
  assert.deepEqual((await compare(before, await image(plain)))[0], {
    path: "mediaType",
    a: mediaTypes.ociIndex,
    b: mediaTypes.ociManifest,
  });
});

test("matchers choose entries of an index", () => {
  const entry = (name: string, architecture: string, variant?: string) => ({
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(new TextEncoder().encode(name + architecture)),
    size: 1,
    annotations: { "org.opencontainers.image.ref.name": name, team: "a" },
    platform: { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) },
  });
  const entries = [
    entry("1.0", "amd64"),
    entry("1.0", "arm", "v7"),
    { ...entry("2.0", "arm", "v6"), annotations: {} },
    { mediaType: mediaTypes.ociIndex, digest: digestOf(plain), size: 2 },
  ];
  const cases: readonly [Matcher, number[]][] = [
    [byName("1.0"), [0, 1]],
    [byName("1.0", "2.0"), [0, 1]],
    [byName(""), []],
    [byAnnotation("team"), [0, 1]],
    [byAnnotation("team", "b"), []],
    [byPlatform("linux"), [0, 1, 2]],
    [byPlatform("linux/arm"), [1, 2]],
    [byPlatform("linux/arm/v6", "linux/amd64"), [0, 2]],
    [byPlatform(), []],
    [byMediaType(mediaTypes.ociIndex), [3]],
    [byDigest(digestOf(plain), entries[0]?.digest ?? ""), [0, 3]],
  ];
  for (const [matcher, found] of cases)
    assert.deepEqual(
      entries.flatMap((each, i) => (matcher(each) ? [i] : [])),
      found,
    );
});
