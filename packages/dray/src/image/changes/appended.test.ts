import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryRegistry, put, sampleArtifact, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { against, failsWith } from "../../../test/registry-client.ts";
import { bytesContent, collect, loadManifest, memoryStore, readJson } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { annotationKeys, digestOf, encodeJson, type Manifest, mediaTypes } from "../../oci/index.ts";
import type { Repository } from "../../registry/index.ts";
import type { ImageConfig } from "../config.ts";
import { edit } from "../edit.ts";
import { ingestLayer } from "../layers/index.ts";
import { validate } from "../validate.ts";
import { viewOf } from "../views.ts";
import { appended } from "./index.ts";

const files = tar([{ path: "srv/app", kind: "file", bytes: new TextEncoder().encode("app") }]);

const imageAt = async (repository: Repository, name: string): Promise<{ manifest: Manifest; config: ImageConfig }> => {
  const { parsed } = await loadManifest(repository, await repository.resolve(name));
  assert.equal(parsed.kind, "manifest");
  const { manifest } = parsed as { manifest: Manifest };
  return { manifest, config: await readJson<ImageConfig>(repository, manifest.config) };
};

describe("layers appended", () => {
  for (const docker of [true, false])
    test(`follow the types of an image (${docker ? "docker" : "oci"}), with history and diffIDs`, async () => {
      const registry = memoryRegistry();
      const base = sampleImage({ seed: "append", docker });
      put(registry, "a/b", "1", base);
      const { repository, log } = against(registry);
      const layers = [
        await ingestLayer(repository, bytesContent(files)),
        await ingestLayer(repository, bytesContent(files), { compression: "none" }),
        await ingestLayer(repository, bytesContent(files), { compression: "zstd" }),
      ];
      const [first, ...others] = layers.map((layer) => ({ layer }));
      const view = await viewOf(repository, await repository.resolve("1"));
      const history = { created_by: "make", created: "2020-01-01T00:00:00Z" };
      const before = log.select({ method: "POST" }).length;
      const { store, root } = await edit(
        view,
        appended([{ ...first!, history, annotations: { "org.example.a": "b" } }, ...others], {
          baseName: "r.test/a/b:1",
        }),
      );
      await copy({ store, name: root.digest, location: "1" }, { store: repository, name: "2", location: "2" });
      assert.equal(log.select({ method: "POST" }).length - before, 1, "the configuration alone is sent");
      const { manifest, config } = await imageAt(repository, "2");
      assert.deepEqual(
        manifest.layers.map(({ mediaType }) => mediaType),
        docker
          ? [
              ...base.layers.map(({ mediaType }) => mediaType),
              mediaTypes.dockerLayerGzip,
              mediaTypes.dockerLayer,
              mediaTypes.ociLayerZstd,
            ]
          : [
              ...base.layers.map(({ mediaType }) => mediaType),
              mediaTypes.ociLayerGzip,
              mediaTypes.ociLayer,
              mediaTypes.ociLayerZstd,
            ],
      );
      assert.deepEqual(manifest.layers[2]?.annotations, { "org.example.a": "b" });
      assert.deepEqual(manifest.annotations, {
        [annotationKeys.baseDigest]: base.root.digest,
        [annotationKeys.baseName]: "r.test/a/b:1",
      });
      assert.deepEqual(config.rootfs?.diff_ids, [...base.diffIDs, ...layers.map(() => digestOf(files))]);
      assert.deepEqual(config.history?.slice(2), [
        history,
        { created_by: "dray append" },
        { created_by: "dray append" },
      ]);
      assert.deepEqual((await validate(repository, root)).findings, []);
    });

  test("come on top of each image of an index, and attestations are no images", async () => {
    const registry = memoryRegistry();
    const index = sampleIndex({ seed: "append-index", attestations: true });
    put(registry, "a/b", "1", index);
    const { repository } = against(registry);
    const layer = await ingestLayer(repository, bytesContent(files));
    const asked: string[] = [];
    const view = await viewOf(repository, index.root);
    const { store, root } = await edit(
      view,
      appended(async (image) => {
        asked.push((await image.config()).architecture ?? "");
        return [{ layer }];
      }),
    );
    await copy({ store, name: root.digest, location: "1" }, { store: repository, name: "2", location: "2" });
    assert.deepEqual(asked.sort(), ["amd64", "arm64"]);
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const edited = await viewOf(repository, root);
      assert.equal(edited.kind, "index");
      const image = await (edited as Extract<typeof edited, { kind: "index" }>).image(platform);
      assert.equal((await image.layers()).at(-1)?.diffID, layer.diffID);
    }
  });

  test("history that was never written is not made up, but each layer keeps its entry", async () => {
    const store = memoryStore();
    const below = await ingestLayer(store, bytesContent(files));
    const of = async (more: object): Promise<ImageConfig> => {
      const config = encodeJson({ os: "linux", architecture: "arm", "x-own": [1], ...more });
      const document = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: await store.ingest(bytesContent(config), { mediaType: mediaTypes.ociConfig }),
        layers: [below.descriptor],
      };
      const found = await store.ingest(bytesContent(encodeJson(document)), { mediaType: mediaTypes.ociManifest });
      const { store: over, root } = await edit(
        await viewOf(store, found),
        appended([{ layer: below, history: { comment: "new" } }]),
      );
      const view = await viewOf(over, root);
      assert.equal(view.kind, "image");
      return JSON.parse(
        new TextDecoder().decode(await (view as Extract<typeof view, { kind: "image" }>).configBytes()),
      ) as ImageConfig;
    };
    const rootfs = { type: "layers", diff_ids: [below.diffID], "x-rootfs": 1 };
    assert.deepEqual(await of({ rootfs }), {
      os: "linux",
      architecture: "arm",
      "x-own": [1],
      rootfs: { ...rootfs, diff_ids: [below.diffID, below.diffID] },
      history: [{}, { comment: "new" }],
    });
    const steps = [
      { created_by: "ENV", empty_layer: true },
      { created_by: "COPY", "x-history": 1 },
      { empty_layer: true },
    ];
    assert.deepEqual((await of({ rootfs, history: steps })).history, [...steps, { comment: "new" }]);
    const invalid = failsWith("MANIFEST_INVALID");
    await assert.rejects(of({ rootfs: { type: "layers", diff_ids: [] } }), invalid);
    await assert.rejects(of({ rootfs, history: [{}, {}] }), invalid);
    await assert.rejects(of({ rootfs: { diff_ids: ["sha256:x"] } }), invalid);
    await assert.rejects(of({ rootfs, history: "none" }), invalid);
  });

  test("an artifact is no image", async () => {
    const registry = memoryRegistry();
    const { repository } = against(registry);
    const root = put(registry, "a/b", "sbom", sampleArtifact());
    const layer = await ingestLayer(repository, bytesContent(files));
    await assert.rejects(edit(await viewOf(repository, root), appended([{ layer }])), failsWith("UNSUPPORTED"));
    assert.ok((await collect(repository.read(layer.descriptor), 10_000, "layer")).byteLength > 0);
  });
});
