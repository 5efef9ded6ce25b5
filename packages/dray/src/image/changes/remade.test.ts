import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { memoryRegistry, put, sampleImage, sampleIndex } from "@dray/testkit";
import { against, failsWith } from "../../../test/registry-client.ts";
import { imageOfTars, layerTar } from "../../../test/tree-image.ts";
import { bytesContent, collect, memoryStore } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { digestOf, encodeJson, mediaTypes } from "../../oci/index.ts";
import type { Repository } from "../../registry/index.ts";
import { type Change, edit } from "../edit.ts";
import { imageFrom } from "../from/index.ts";
import { filesTar } from "../layers/index.ts";
import { validate } from "../validate.ts";
import { type Image, viewOf } from "../views.ts";
import { recompressed, timed, withoutLayers } from "./index.ts";

const filesOfOne = layerTar(["a=1"]);

const placed = (sample: ReturnType<typeof sampleImage>): { repository: Repository; view: () => Promise<Image> } => {
  const registry = memoryRegistry();
  put(registry, "a/b", "1", sample);
  const { repository } = against(registry);
  return { repository, view: async () => (await viewOf(repository, sample.root)) as Image };
};

describe("layers compressed otherwise", () => {
  for (const [compression, docker, type] of [
    ["zstd", false, mediaTypes.ociLayerZstd],
    ["gzip", true, mediaTypes.dockerLayerGzip],
    ["none", true, mediaTypes.dockerLayer],
    ["none", false, mediaTypes.ociLayer],
  ] as const)
    test(`keep what is in them: ${compression}, ${docker ? "docker" : "oci"}`, async () => {
      const sample = sampleImage({ seed: "recompress", docker, compression: compression === "gzip" ? "zstd" : "gzip" });
      const { repository, view } = placed(sample);
      const { store, root } = await edit(await view(), recompressed(repository, { compression }));
      await copy({ store, name: root.digest, location: "" }, { store: repository, name: "2", location: "" });
      const made = (await viewOf(repository, root)) as Image;
      assert.deepEqual((await validate(repository, root)).findings, []);
      assert.equal((await made.manifest()).config.digest, sample.config.digest, "the configuration stays");
      for (const [i, layer] of (await made.layers()).entries()) {
        assert.equal(layer.descriptor.mediaType, type);
        const bytes = await collect(layer.compressed(), 100_000, "layer");
        const plain = { none: (some: Uint8Array) => some, gzip: gunzipSync, zstd: zstdDecompressSync }[compression](
          bytes,
        );
        assert.equal(digestOf(plain), sample.diffIDs[i]);
      }
    });

  test("may have nothing in them", async () => {
    const nothing = new Uint8Array();
    const image = await imageOfTars([nothing, filesOfOne], { packed: [gzipSync(nothing), filesOfOne] });
    const target = memoryStore();
    const diffIDsOf = async (change: Change): Promise<readonly (string | undefined)[]> => {
      const { store, root } = await edit(image, change);
      assert.deepEqual((await validate(store, root)).findings, []);
      const made = (await viewOf(store, root)) as Image;
      return (await made.layers()).map((layer) => layer.diffID);
    };
    const before = [digestOf(nothing), digestOf(filesOfOne)];
    for (const compression of ["zstd", "none", "gzip"] as const)
      assert.deepEqual(await diffIDsOf(recompressed(target, { compression, level: 1 })), before, compression);
    assert.equal((await diffIDsOf(recompressed(target, { estargz: {} }))).length, 2);
    assert.equal((await diffIDsOf(timed(target))).length, 2);
  });

  test("stay where they are that already, unless a level is said; each content is done once", async () => {
    const registry = memoryRegistry();
    const index = sampleIndex({ seed: "recompress", attestations: true });
    put(registry, "a/b", "1", index);
    const { repository, log } = against(registry);
    const view = await viewOf(repository, index.root);
    assert.equal((await edit(view, recompressed(repository))).root.digest, index.root.digest);
    assert.deepEqual(log.select({ target: "/blobs/uploads" }), []);
    const better = await edit(view, recompressed(repository, { level: 9 }));
    assert.notEqual(better.root.digest, index.root.digest);
    assert.equal(better.leftOut.length, 2);
    assert.equal((await edit(view, recompressed(repository, { level: 9 }))).root.digest, better.root.digest);
    const one = await edit(view, recompressed(repository, { compression: "zstd" }), { platforms: ["linux/arm64"] });
    const made = await viewOf(one.store, one.root);
    assert.equal(made.kind, "index");
    for (const [platform, type] of [
      ["linux/arm64", mediaTypes.ociLayerZstd],
      ["linux/amd64", mediaTypes.ociLayerGzip],
    ] as const) {
      const image = await (made as Extract<typeof made, { kind: "index" }>).image(platform);
      assert.ok(
        (await image.layers()).every(({ descriptor }) => descriptor.mediaType === type),
        platform,
      );
    }
  });

  test("annotations by which the old bytes were read go, others stay; what lies elsewhere by licence stays; lies are found", async () => {
    const sample = sampleImage({ seed: "recompress/annotated" });
    const of = async (change: object, config = sample.config): Promise<Image> => {
      const store = memoryStore();
      for (const bytes of sample.blobs.values())
        await store.ingest(bytesContent(bytes), { mediaType: mediaTypes.ociLayer });
      const [first, second] = sample.layers;
      const document = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config,
        layers: [{ ...first, ...change }, second],
      };
      const root = await store.ingest(bytesContent(encodeJson(document)), { mediaType: mediaTypes.ociManifest });
      return (await viewOf(store, root)) as Image;
    };
    const zstd = recompressed(memoryStore(), { compression: "zstd" });
    const layersOf = async (image: Image) => {
      const { store, root } = await edit(image, zstd);
      return (await ((await viewOf(store, root)) as Image).manifest()).layers;
    };
    const annotated = await of({
      annotations: {
        "containerd.io/snapshot/stargz/toc.digest": "sha256:x",
        "io.containers.estargz.uncompressed-size": "1",
        "io.github.containers.zstd-chunked.manifest-position": "1:2:3:1",
        "io.containers.zstd-chunked.manifest-position": "1:2:3:1",
        "org.example.a": "b",
      },
    });
    assert.deepEqual((await layersOf(annotated))[0]?.annotations, { "org.example.a": "b" });
    const foreign = await of({ mediaType: mediaTypes.dockerForeignLayer });
    assert.deepEqual(
      (await layersOf(foreign)).map(({ mediaType }) => mediaType),
      [mediaTypes.dockerForeignLayer, mediaTypes.ociLayerZstd],
    );
    await assert.rejects(
      edit(await of({ mediaType: `${mediaTypes.ociLayerGzip}+encrypted` }), zstd),
      failsWith("UNSUPPORTED"),
    );
    const lying = encodeJson({
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: sample.diffIDs.toReversed() },
    });
    const image = await of({});
    const store = memoryStore();
    const config = await store.ingest(bytesContent(lying), { mediaType: mediaTypes.ociConfig });
    for (const bytes of sample.blobs.values())
      await store.ingest(bytesContent(bytes), { mediaType: mediaTypes.ociLayer });
    const document = { ...(await image.manifest()), config };
    const root = await store.ingest(bytesContent(encodeJson(document)), { mediaType: mediaTypes.ociManifest });
    await assert.rejects(edit(await viewOf(store, root), zstd), failsWith("DIGEST_MISMATCH"));
    for (const level of [0, 20])
      await assert.rejects(
        edit(image, recompressed(memoryStore(), { compression: "zstd", level })),
        failsWith("USAGE"),
      );
  });
});

describe("an image of one time", () => {
  /** The same files, packed at different times by different machines. */
  const image = (mtime: number, more: object): Promise<Image> =>
    imageFrom({
      config: {
        os: "linux",
        architecture: "amd64",
        created: new Date(mtime * 1000).toISOString(),
        ...more,
        config: { Env: ["A=1"], ...("config" in more ? (more.config as object) : {}) },
      },
      layers: [
        {
          content: filesTar([
            { name: "d/", type: "directory", mtime },
            {
              name: "d/f",
              content: new Uint8Array(700),
              mtime: mtime + 0.5,
              pax: { atime: `${mtime}`, "SCHILY.xattr.user.a": "b" },
            },
            { name: "d/l", type: "hardlink", linkName: "d/f", mtime },
          ]),
          history: { created: new Date(mtime * 1000).toISOString(), created_by: "x" },
        },
      ],
    });

  test("is the same for the same files", async () => {
    const [one, other] = [
      await image(1_700_000_000, { container: "abc", docker_version: "1", config: { Hostname: "abc" } }),
      await image(1_800_000_000.25, {}),
    ];
    const change = timed(memoryStore(), { time: "2026-01-01T00:00:00Z", canonical: true });
    const [first, second] = [await edit(one, change), await edit(other, change)];
    assert.equal(first.root.digest, second.root.digest);
    assert.deepEqual((await validate(first.store, first.root)).findings, []);
    const made = (await viewOf(first.store, first.root)) as Image;
    const { created, history, config } = await made.config();
    assert.deepEqual(
      [created, history, config],
      ["2026-01-01T00:00:00Z", [{ created: "2026-01-01T00:00:00Z", created_by: "x" }], { Env: ["A=1"] }],
    );
    const bytes = await collect((await made.layers())[0]!.uncompressed(), 100_000, "layer");
    const listed = execFileSync("tar", ["-tvf", "-", "--xattrs"], {
      input: bytes,
      env: { ...process.env, TZ: "UTC" },
    }).toString();
    assert.equal(listed.split("2026-01-01 00:00").length, 4, listed);
    assert.match(Buffer.from(bytes).toString("latin1"), /SCHILY.xattr.user.a=b/);
    const plain = await edit(one, timed(memoryStore()));
    assert.equal((await ((await viewOf(plain.store, plain.root)) as Image).config()).created, "1970-01-01T00:00:00Z");
    assert.throws(() => timed(memoryStore(), { time: "tomorrow" }), failsWith("USAGE"));
  });
});

describe("layers taken away", () => {
  const sample = sampleImage({ seed: "without", layers: 4 });
  const diffIDsWithout = async (...layers: readonly (string | number)[]): Promise<readonly unknown[]> => {
    const { store, root } = await edit(await placed(sample).view(), withoutLayers(layers));
    const made = (await viewOf(store, root)) as Image;
    const { rootfs, history } = await made.config();
    assert.equal(history?.length, rootfs?.diff_ids?.length);
    assert.equal((await made.manifest()).layers.length, rootfs?.diff_ids?.length);
    return rootfs?.diff_ids ?? [];
  };

  test("by number from below and from above, by digest and by diffID, each with its history", async () => {
    const [a, b, c, d] = sample.diffIDs;
    assert.deepEqual(await diffIDsWithout(1), [b, c, d]);
    assert.deepEqual(await diffIDsWithout(-1, 2), [a, c]);
    assert.deepEqual(await diffIDsWithout(sample.layers[2]?.digest ?? "", d ?? ""), [a, b]);
    assert.deepEqual(await diffIDsWithout(), [a, b, c, d]);
  });

  test("of an image whose history is short: each layer that stays has its own entry, or an empty one", async () => {
    const first = { created_by: "first" };
    const env = { created_by: "ENV a=b", empty_layer: true };
    const second = { created_by: "second" };
    for (const [history, gone, left] of [
      [[first, env, second], 1, [env, second, {}, {}]],
      [[first, env, second], 2, [first, env, {}, {}]],
      [[first, env, second], -1, [first, env, second, {}]],
      [[env], -1, [env, {}, {}, {}]],
      [[], 1, []],
      [undefined, 1, undefined],
    ] as const) {
      const short = sampleImage({ seed: "without", layers: 4, config: { history } });
      const { store, root } = await edit(await placed(short).view(), withoutLayers([gone]));
      const config = await ((await viewOf(store, root)) as Image).config();
      assert.deepEqual(config.history, left, JSON.stringify(history));
      assert.equal(config.rootfs?.diff_ids?.length, 3);
      assert.deepEqual((await validate(store, root)).findings, []);
    }
  });

  test("what is no layer of it is refused", async () => {
    for (const choice of [5, -5, `sha256:${"0".repeat(64)}`])
      await assert.rejects(diffIDsWithout(choice), failsWith("NOT_FOUND"));
    for (const choice of [0, 1.5]) await assert.rejects(diffIDsWithout(choice), failsWith("USAGE"));
  });
});
