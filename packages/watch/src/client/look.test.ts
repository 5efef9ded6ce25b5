import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, faults, memoryRegistry, put, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { isDrayError } from "dray/errors";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { clients } from "../../test/clients.ts";
import type { ExcludedReason } from "../entry/index.ts";

const repository = "team/app";
const now = Date.UTC(2026, 5, 1);
const clock = { now: () => now, random: () => 0, sleep: async () => {} };
const lastFetched = new Date(now).toISOString();

test("an image tells its digest, its configuration's digest, labels, time and platform, in OCI's media types and in Docker's", async () => {
  const { registry, client } = clients({ clock });
  for (const docker of [false, true]) {
    const image = sampleImage({
      seed: `docker ${docker}`,
      docker,
      platform: { os: "linux", architecture: "arm", variant: "v7" },
      config: {
        created: "2026-01-02T03:04:05.678901234Z",
        config: { Labels: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" } },
      },
    });
    put(registry, repository, "v1", image);
    assert.deepEqual(await (await client()).manifest("v1"), {
      info: {
        id: "registry.example/team/app:v1",
        digest: image.root.digest,
        mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
        imageID: image.config.digest,
        createdAt: "2026-01-02T03:04:05.678901234Z",
        labels: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" },
        platforms: [{ platform: "linux/arm/v7", digest: image.root.digest }],
        lastFetched,
      },
    });
  }
});

test("labels are those of what runs; where there are none, those of what has built it", async () => {
  const { registry, client } = clients();
  const built = { container_config: { Labels: { from: "container_config" } } };
  put(
    registry,
    repository,
    "both",
    sampleImage({ seed: "1", config: { ...built, config: { Labels: { from: "config" } } } }),
  );
  put(registry, repository, "built", sampleImage({ seed: "2", config: { ...built, config: {} } }));
  put(registry, repository, "null", sampleImage({ seed: "3", config: { ...built, config: { Labels: null } } }));
  put(registry, repository, "none", sampleImage({ seed: "4", config: { config: null } }));
  const labels = async (tag: string): Promise<unknown> => (await (await client()).manifest(tag)).info?.labels;
  assert.deepEqual(await labels("both"), { from: "config" });
  assert.deepEqual(await labels("built"), { from: "container_config" });
  assert.deepEqual(await labels("null"), { from: "container_config" });
  assert.equal(await labels("none"), undefined);
});

test("an index tells its own digest, that of the image that was looked into, and every platform", async () => {
  for (const docker of [false, true]) {
    const index = sampleIndex({
      seed: `index ${docker}`,
      platforms: ["linux/amd64", "linux/arm64", "windows/amd64"],
      attestations: !docker,
      image: { docker, annotations: { of: "image" } },
      annotations: { of: "index", only: "index" },
    });
    const [amd64, arm64, windows] = index.images;
    assert.ok(amd64 && arm64 && windows);
    for (const [wanted, image] of [
      [[], amd64],
      [["linux/arm64"], arm64],
      [["linux/s390x", "windows"], windows],
      [["linux"], amd64],
    ] as const) {
      const { registry, client } = clients({ platforms: wanted, clock });
      put(registry, repository, "v1", index);
      const { info } = await (await client()).manifest("v1");
      assert.equal(info?.digest, index.root.digest);
      assert.equal(info.childDigest, image.root.digest, wanted.join());
      assert.equal(info.imageID, image.config.digest);
      assert.equal(info.mediaType, index.root.mediaType);
      assert.deepEqual(info.annotations, { of: "image", only: "index" });
      assert.deepEqual(info.platforms, [
        { platform: "linux/amd64", digest: amd64.root.digest },
        { platform: "linux/arm64", digest: arm64.root.digest },
        { platform: "windows/amd64", digest: windows.root.digest },
      ]);
    }
  }
});

test("an image of an index whose platform only its configuration says is found", async () => {
  const { registry, client } = clients({ platforms: ["linux/arm64"] });
  const image = sampleImage({ platform: { os: "linux", architecture: "arm64" } });
  put(registry, repository, undefined, image);
  const bytes = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [image.root] });
  registry.addManifest(repository, { mediaType: mediaTypes.ociIndex, bytes }, "v1");
  const { info } = await (await client()).manifest("v1");
  assert.equal(info?.childDigest, image.root.digest);
  assert.deepEqual(info.platforms, [{ platform: "linux/arm64", digest: image.root.digest }]);
});

test("an index in an index is looked into", async () => {
  const { registry, client } = clients();
  const inner = sampleIndex({ platforms: ["linux/amd64"] });
  const outer = sampleIndex({ seed: "outer", platforms: [], more: [inner] });
  put(registry, repository, "v1", outer);
  const { info } = await (await client()).manifest("v1");
  assert.equal(info?.digest, outer.root.digest);
  assert.equal(info.childDigest, inner.images[0]?.root.digest);
  assert.equal(info.imageID, inner.images[0]?.config.digest);
});

test("what is no image to be run is told by its type and its annotations, and no configuration is asked for", async () => {
  const { registry, client } = clients({ platforms: ["linux/amd64"] });
  const annotations = { "org.opencontainers.image.created": "2026-02-03T00:00:00Z" };
  const sbom = sampleArtifact({ annotations });
  put(registry, repository, "sbom", sbom);
  const chart = { mediaType: "application/vnd.cncf.helm.config.v1+json", digest: digestOf(encodeJson({})), size: 2 };
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: chart,
    layers: [],
    annotations,
  });
  registry.addManifest(repository, { mediaType: mediaTypes.ociManifest, bytes }, "chart");
  const old = encodeJson({ mediaType: mediaTypes.ociArtifact, artifactType: "application/x", blobs: [], annotations });
  registry.addManifest(repository, { mediaType: mediaTypes.ociArtifact, bytes: old }, "old");
  for (const [tag, artifactType] of [
    ["sbom", "application/vnd.example.sbom.v1"],
    ["chart", chart.mediaType],
    ["old", "application/x"],
  ] as const) {
    const { info } = await (await client()).manifest(tag);
    assert.equal(info?.artifactType, artifactType);
    assert.deepEqual(info.annotations, annotations);
    assert.deepEqual([info.imageID, info.platforms, info.createdAt], [undefined, undefined, undefined]);
  }
  assert.equal(registry.log.count({ target: "/blobs/" }), 0);
});

test("an image of schema 1 tells the identifier, time, labels and platform that stand in its history", async () => {
  const { registry, client } = clients();
  const top = {
    id: "abc",
    created: "2015-06-07T08:09:10Z",
    os: "linux",
    architecture: "amd64",
    config: { Labels: { a: "b" } },
  };
  const manifest = (v1Compatibility: string): Uint8Array =>
    encodeJson({
      schemaVersion: 1,
      name: repository,
      tag: "v1",
      architecture: "amd64",
      fsLayers: [],
      history: [{ v1Compatibility }],
    });
  const mediaType = mediaTypes.dockerSchema1;
  const digest = registry.addManifest(repository, { mediaType, bytes: manifest(JSON.stringify(top)) }, "v1");
  registry.addManifest(repository, { mediaType, bytes: manifest("{") }, "bad");
  const { info } = await (await client()).manifest("v1");
  assert.deepEqual(
    { ...info, lastFetched: undefined },
    {
      id: "registry.example/team/app:v1",
      digest,
      // Our registry signs what it serves of schema 1.
      mediaType: mediaTypes.dockerSchema1Signed,
      imageID: "abc",
      createdAt: top.created,
      labels: { a: "b" },
      platforms: [{ platform: "linux/amd64", digest }],
      lastFetched: undefined,
    },
  );
  assert.equal((await (await client()).manifest("bad")).excluded?.reason, "bad-configuration");
});

const config = (bytes: Uint8Array): Descriptor => ({
  mediaType: mediaTypes.ociConfig,
  digest: digestOf(bytes),
  size: bytes.length,
});

test("what cannot be used is left out with its reason, under the digest that it has", async () => {
  const { registry, client } = clients({ platforms: ["linux/amd64"], clock });
  const add = (mediaType: string, value: object, tag: string): void =>
    void registry.addManifest(repository, { mediaType, bytes: encodeJson(value) }, tag);
  const image = (of: Descriptor): object => ({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: of,
    layers: [],
  });
  const text = new TextEncoder().encode("<html>");
  registry.addBlob(repository, text);
  registry.addBlob(repository, encodeJson([1]));
  add(mediaTypes.ociManifest, image(config(text)), "html-config");
  add(mediaTypes.ociManifest, image(config(encodeJson([1]))), "list-config");
  add(mediaTypes.ociManifest, image(config(encodeJson({ not: "there" }))), "no-blob");
  add(
    "application/vnd.example.thing.v1+json",
    { schemaVersion: 2, mediaType: "application/vnd.example.thing.v1+json" },
    "type",
  );
  add(mediaTypes.ociManifest, { schemaVersion: 2, config: 5 }, "broken");
  const absent = { mediaType: mediaTypes.ociManifest, digest: digestOf(encodeJson("absent")), size: 5 };
  const platform = { os: "linux", architecture: "amd64" };
  add(mediaTypes.ociIndex, { schemaVersion: 2, manifests: [{ ...absent, platform }] }, "no-child");
  put(registry, repository, "arm", sampleIndex({ platforms: ["linux/arm64", "linux/arm64"] }));
  put(registry, repository, "arm-alone", sampleImage({ platform: { os: "linux", architecture: "arm64" } }));
  let inner = sampleIndex({ platforms: ["linux/amd64"] });
  for (const at of [1, 2, 3, 4]) inner = sampleIndex({ seed: `${at}`, platforms: [], more: [inner] });
  put(registry, repository, "deep", inner);
  const expected: readonly [tag: string, reason: ExcludedReason, message: RegExp][] = [
    ["html-config", "bad-configuration", /^its configuration sha256:\w+ is no JSON$/],
    ["list-config", "bad-configuration", /is no JSON object/],
    ["no-blob", "missing-configuration", /is not in the registry/],
    ["type", "unknown-type", /"application\/vnd.example.thing.v1\+json" is no media type of a manifest/],
    ["broken", "bad-manifest", /config: is no descriptor object/],
    ["no-child", "missing-manifest", /names manifest sha256:\w+, which is not in the registry/],
    ["arm", "no-platform", /no image for linux\/amd64; it has linux\/arm64$/],
    ["arm-alone", "no-platform", /no image for linux\/amd64; it has linux\/arm64$/],
    ["deep", "bad-manifest", /deeper than 4/],
  ];
  for (const [tag, reason, message] of expected) {
    const { excluded } = await (await client()).manifest(tag);
    assert.equal(excluded?.reason, reason, tag);
    assert.match(excluded.message, message);
    assert.equal(excluded.digest, registry.manifest(repository, tag)?.digest);
    assert.equal(excluded.lastFetched, lastFetched);
  }
});

test("an answer of 200 that is a page or an error names no digest, and is no image", async () => {
  const registry = memoryRegistry();
  const error = JSON.stringify({ errors: [{ code: "UNKNOWN", message: "backend down" }] });
  const handler = faults(registry.handler, [
    {
      target: "/manifests/page",
      effect: answerWith(200, { "Content-Type": "text/html" }, "<html><title>Sign in</title>"),
    },
    { target: "/manifests/error", effect: answerWith(200, { "Content-Type": "application/json" }, error) },
    { target: "/manifests/typed", effect: answerWith(200, { "Content-Type": mediaTypes.ociManifest }, error) },
    { target: "/manifests/empty", effect: answerWith(200, { "Content-Type": mediaTypes.ociManifest }, "") },
  ]);
  const { client } = clients({}, registry, handler);
  for (const tag of ["page", "error", "typed"]) {
    const { excluded } = await (await client()).manifest(tag);
    assert.equal(excluded?.reason, "bad-manifest", tag);
    assert.equal(excluded.digest, undefined, tag);
  }
  assert.equal((await (await client()).manifest("empty")).excluded?.reason, "bad-manifest");
});

test("a tag that is gone is an error, as is a registry that does not answer: another look may find something else", async () => {
  const registry = memoryRegistry();
  const handler = faults(registry.handler, [{ target: "/manifests/down", effect: answerWith(503) }]);
  const { client } = clients({}, registry, handler);
  put(registry, repository, "v1", sampleImage());
  await assert.rejects((await client()).manifest("gone"), (error) => isDrayError(error, "NOT_FOUND"));
  await assert.rejects(
    (await client()).manifest("down"),
    (error) => isDrayError(error, "REGISTRY") && error.status === 503,
  );
  await assert.rejects((await client()).digest("gone"), (error) => isDrayError(error, "NOT_FOUND"));
});

test("a configuration is read once, however many tags and repositories name it and ask at the same time", async () => {
  const { registry, client } = clients();
  const image = sampleImage();
  for (const name of ["team/app", "team/other"]) for (const tag of ["v1", "v2"]) put(registry, name, tag, image);
  const looks = ["team/app", "team/other"].flatMap((name) =>
    ["v1", "v2"].map(async (tag) => (await client(`registry.example/${name}`)).manifest(tag)),
  );
  for (const { info } of await Promise.all(looks)) assert.equal(info?.imageID, image.config.digest);
  assert.equal(registry.log.count({ target: "/blobs/" }), 1);
  await (await client()).manifest("v1");
  assert.equal(registry.log.count({ target: "/blobs/" }), 1);
});

test("a digest is asked for by HEAD; what it names is looked at even if the tag has moved meanwhile", async () => {
  const { registry, client } = clients();
  const [first, second] = [sampleImage({ seed: "1" }), sampleImage({ seed: "2" })];
  put(registry, repository, "v1", first);
  const app = await client();
  const digest = await app.digest("v1");
  assert.equal(digest, first.root.digest);
  assert.equal(registry.log.count({ method: "GET", target: "/manifests/" }), 0);
  put(registry, repository, "v1", second);
  const { info } = await app.manifest("v1", { digest });
  assert.equal(info?.digest, first.root.digest);
  assert.equal(info.id, "registry.example/team/app:v1");
  assert.equal((await app.manifest("v1")).info?.digest, second.root.digest);
});
