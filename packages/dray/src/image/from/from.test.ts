import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sampleImage, tar } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { bytesContent, collect, memoryStore } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { isDrayError } from "../../errors.ts";
import { digestOf, mediaTypes } from "../../oci/index.ts";
import { validate } from "../validate.ts";
import { type Image, viewOf } from "../views.ts";
import { emptyImage, emptyIndex, imageFrom, onceLayer, randomImage, randomIndex } from "./index.ts";

const plain = tar([{ path: "hello", kind: "file", bytes: new TextEncoder().encode("hello\n") }]);
const packed = gzipSync(plain);

async function* pieces(bytes: Uint8Array, size = 100): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const bytesOf = (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> => collect(chunks, 1e7, "");

/** It is whole where somebody else has it. */
const arrivesWhole = async ({ store, descriptor }: Image): Promise<void> => {
  const target = memoryStore();
  await copy({ store, name: descriptor.digest, location: "" }, { store: target, name: "v1", location: "" });
  assert.deepEqual((await validate(target, descriptor)).findings, []);
};

describe("an image from configuration and layers", () => {
  test("from bytes, a file, content and a stream: digests, sizes, diffIDs and media types are filled in", async () => {
    const file = join(temporaryFolder("image-from"), "layer.tar.zst");
    const zstd = zstdCompressSync(plain);
    await writeFile(file, zstd);
    const into = memoryStore();
    for (const form of ["oci", "docker"] as const) {
      const image = await imageFrom(
        {
          config: { os: "linux", architecture: "amd64", config: { User: "1000" } },
          layers: [
            { content: plain },
            { content: file, annotations: { team: "a" } },
            { content: bytesContent(packed), history: { created_by: "me" } },
            { content: pieces(packed), mediaType: mediaTypes.ociLayerGzip },
          ],
          annotations: { b: "c" },
          form,
        },
        { into },
      );
      const { layers, annotations, mediaType } = await image.manifest();
      assert.equal(mediaType, form === "oci" ? mediaTypes.ociManifest : mediaTypes.dockerManifest);
      assert.deepEqual(annotations, { b: "c" });
      const types =
        form === "oci"
          ? ["ociLayer", "ociLayerZstd", "ociLayerGzip"]
          : ["dockerLayer", "dockerLayerZstd", "dockerLayerGzip"];
      const own = types.map((name) => mediaTypes[name as keyof typeof mediaTypes]);
      assert.deepEqual(
        layers.map(({ mediaType, digest, size }) => [mediaType, digest, size]),
        [
          [own[0], digestOf(plain), plain.byteLength],
          [own[1], digestOf(zstd), zstd.byteLength],
          [own[2], digestOf(packed), packed.byteLength],
          [mediaTypes.ociLayerGzip, digestOf(packed), packed.byteLength],
        ],
      );
      assert.deepEqual(layers[1]?.annotations, { team: "a" });
      const config = await image.config();
      assert.deepEqual(config.rootfs, { type: "layers", diff_ids: layers.map(() => digestOf(plain)) });
      assert.deepEqual(config.history, [{}, {}, { created_by: "me" }, {}]);
      assert.deepEqual(config.config, { User: "1000" });
      await arrivesWhole(image);
    }
  });

  test("its view finds layers by digest and by diffID, and says what it runs on and how much it is", async () => {
    const image = await imageFrom({
      config: { os: "linux", architecture: "arm64", variant: "v8" },
      layers: [{ content: packed }],
    });
    assert.deepEqual(await image.platform(), { os: "linux", architecture: "arm64", variant: "v8" });
    const layer = await image.layerByDigest(digestOf(packed));
    assert.equal(layer.diffID, digestOf(plain));
    assert.deepEqual(
      Buffer.from(await bytesOf((await image.layerByDiffID(digestOf(plain))).uncompressed())),
      Buffer.from(plain),
    );
    assert.equal(await image.contentSize(), packed.byteLength + (await image.manifest()).config.size);
    for (const look of [image.layerByDigest(digestOf(plain)), image.layerByDiffID(digestOf(packed))])
      await assert.rejects(
        look,
        (error) => isDrayError(error, "NOT_FOUND") && error.message.includes("it has sha256:"),
      );
  });

  const refused: readonly [
    string,
    () => Promise<unknown>,
    code: "USAGE" | "NOT_FOUND" | "MANIFEST_INVALID" | "CONSUMED",
  ][] = [
    [
      "a stream and nowhere to put it",
      () => imageFrom({ layers: [{ content: pieces(plain), mediaType: mediaTypes.ociLayer }] }),
      "USAGE",
    ],
    [
      "a stream of whatever type",
      () => imageFrom({ layers: [{ content: pieces(plain) }] }, { into: memoryStore() }),
      "USAGE",
    ],
    ["a file that is not there", () => imageFrom({ layers: [{ content: "/nowhere/layer.tar" }] }), "NOT_FOUND"],
    ["gzip that is cut", () => imageFrom({ layers: [{ content: packed.subarray(0, -9) }] }), "MANIFEST_INVALID"],
    [
      "a stream of gzip that is cut",
      () =>
        imageFrom(
          { layers: [{ content: pieces(packed.subarray(0, -9)), mediaType: mediaTypes.ociLayerGzip }] },
          { into: memoryStore() },
        ),
      "MANIFEST_INVALID",
    ],
  ];
  for (const [what, make, code] of refused)
    test(`${what} is refused`, () =>
      assert.rejects(make(), (error) => isDrayError(error, code) && error.message.startsWith("layer 1: ")));
});

describe("a layer that is read once", () => {
  test("is known when it was read, and not before; a second time it is refused", async () => {
    const layer = onceLayer(pieces(packed), mediaTypes.ociLayerGzip);
    assert.throws(
      () => layer.descriptor,
      (error) => isDrayError(error, "NOT_COMPUTED"),
    );
    assert.throws(
      () => layer.diffID,
      (error) => isDrayError(error, "NOT_COMPUTED"),
    );
    const store = memoryStore();
    const put = await store.ingest(layer.content, layer);
    assert.deepEqual(layer.descriptor, put);
    assert.equal(layer.diffID, digestOf(plain));
    assert.throws(
      () => layer.content.open(),
      (error) => isDrayError(error, "CONSUMED"),
    );
  });

  test("that was left half-way is not known", async () => {
    const layer = onceLayer(pieces(packed, 10), mediaTypes.ociLayerGzip);
    for await (const _ of layer.content.open()) break;
    assert.throws(
      () => layer.descriptor,
      (error) => isDrayError(error, "NOT_COMPUTED"),
    );
  });

  test("of any size in pieces of any size, compressed or not", async () => {
    const { blobs, layers, diffIDs } = sampleImage({ layerSize: 300_000 });
    const bytes = blobs.get(layers[0]?.digest as never) as Uint8Array;
    for (const size of [77, 65_536, 10_000_000]) {
      const layer = onceLayer(pieces(bytes, size), mediaTypes.ociLayerGzip);
      await bytesOf(layer.content.open());
      assert.equal(layer.descriptor.digest, layers[0]?.digest);
      assert.equal(layer.diffID, diffIDs[0]);
    }
    const none = onceLayer(pieces(plain, 7), mediaTypes.ociLayer);
    await bytesOf(none.content.open());
    assert.equal(none.descriptor.digest, none.diffID);
  });
});

describe("nothing, and chance", () => {
  test("what is empty has the digests that go-containerregistry gives it", async () => {
    const [docker, index] = [await emptyImage({ form: "docker" }), await emptyIndex()];
    assert.equal(docker.descriptor.digest, "sha256:732112270d7e59418a8c080b134b24cabd67d250d0d0147a97ed95ba5c280aa4");
    assert.equal(
      (await docker.manifest()).config.digest,
      "sha256:5b943e2b943f6c81dbbd4e2eca5121f4fcc39139e3d1219d6d89bd925b77d9fe",
    );
    assert.equal(index.descriptor.digest, "sha256:dff9de10919148711140d349bf03f1a99eb06f94b03e51715ccebfa7cdc518e2");
    assert.equal((await emptyImage()).descriptor.mediaType, mediaTypes.ociManifest);
    assert.equal((await emptyIndex({ form: "docker" })).descriptor.mediaType, mediaTypes.dockerList);
    assert.deepEqual(await docker.layers(), []);
  });

  test("a random image is whole, is the same by its seed, and another by another", async () => {
    const [a, again, b] = [
      await randomImage({ layers: 2, size: 200_000, seed: "a" }),
      await randomImage({ layers: 2, size: 200_000, seed: "a" }),
      await randomImage({ layers: 2, size: 200_000 }),
    ];
    assert.equal(a.descriptor.digest, "sha256:ed03a3a73c0aaafced6239209560551cf5ceb09782b51662e17cc623449dabb7");
    assert.equal(a.descriptor.digest, again.descriptor.digest);
    assert.notEqual(a.descriptor.digest, b.descriptor.digest);
    await arrivesWhole(a);
    const [layer] = (await a.manifest()).layers;
    const bytes = await bytesOf(a.store.read(layer as never));
    assert.deepEqual(await bytesOf(a.store.read(layer as never, { offset: 100_000 })), bytes.subarray(100_000));
    await assert.rejects(randomImage({ layers: -1 }), (error) => isDrayError(error, "USAGE"));
  });

  test("a random index has an image for each platform, and its entries can be looked at by digest", async () => {
    const index = await randomIndex(
      [
        { os: "linux", architecture: "amd64" },
        { os: "windows", architecture: "arm64" },
      ],
      { seed: "b" },
    );
    const target = memoryStore();
    await copy(
      { store: index.store, name: index.descriptor.digest, location: "" },
      { store: target, name: "v1", location: "" },
    );
    assert.deepEqual((await validate(target, index.descriptor)).findings, []);
    const arm = await index.image("windows/arm64");
    const view = await viewOf(target, index.descriptor);
    assert.ok(view.kind === "index");
    assert.equal((await view.child(arm.descriptor.digest)).descriptor.digest, arm.descriptor.digest);
    await assert.rejects(view.child(digestOf(plain)), (error) => isDrayError(error, "NOT_FOUND"));
  });
});
