import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type MemoryRegistryOptions, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { against, failsWith } from "../../test/registry-client.ts";
import { digestOf, encodeJson, type Manifest, mediaTypes, packManifest } from "../oci/index.ts";

const text = new TextEncoder().encode("hello");
const image = sampleImage();

const setup = (options: MemoryRegistryOptions = {}) => {
  const at = against(memoryRegistry(options));
  const asked = (): string[] =>
    at.log.select().map(({ method, target }) => `${method} ${target.replace("/v2/a/b", "")}`);
  return { ...at, asked };
};

describe("a repository takes", () => {
  test("bytes, once", async () => {
    const at = setup();
    const layer = await at.repository.put(text, { mediaType: "text/plain" });
    assert.deepEqual(layer, { mediaType: "text/plain", digest: digestOf(text), size: 5 });
    at.log.entries.length = 0;
    await at.repository.put(text, { mediaType: "text/plain" });
    assert.deepEqual(at.asked(), [`HEAD /blobs/${layer.digest}`]);
  });

  test("an artifact under several tags, the first with its manifest", async () => {
    const at = setup();
    const layer = await at.repository.put(text, { mediaType: "text/plain" });
    const made = await at.repository.putManifest(
      packManifest({ artifactType: "application/vnd.acme.note", layers: [layer] }),
      {
        tags: ["note", "latest"],
      },
    );
    assert.deepEqual(at.registry.tags("a/b"), ["latest", "note"]);
    assert.deepEqual(
      at.asked().filter((line) => line.startsWith("PUT /manifests")),
      ["PUT /manifests/note", "PUT /manifests/latest"],
    );
    assert.equal(at.registry.manifest("a/b", "note")?.digest, made.digest);
  });

  test("a manifest bound to what its tag stands for", async () => {
    const at = setup({ conditional: true });
    put(at.registry, "a/b", "v1", image);
    const { etag } = await at.repository.manifest("v1");
    const note = packManifest({ artifactType: "a/b" });
    await at.repository.putManifest(note, { tags: ["v1"], ifMatch: etag });
    await assert.rejects(at.repository.putManifest(note, { tags: ["v1"], ifMatch: etag }), failsWith("CONFLICT"));
    for (const tags of [[], ["v1", "v2"]])
      await assert.rejects(at.repository.putManifest(note, { tags, ifNoneMatch: "*" }), failsWith("USAGE"));
  });

  for (const referrers of [true, false])
    test(`an artifact attached to an image, ${referrers ? "with" : "without"} the referrers API`, async () => {
      const at = setup({ referrers });
      put(at.registry, "a/b", "v1", image);
      const layers = [await at.repository.put(encodeJson({ bom: true }), { mediaType: "application/spdx+json" })];
      const made = await at.repository.attach("v1", { artifactType: "application/spdx+json", layers });
      const found = await Array.fromAsync(
        at.repository.referrers(image.root, { artifactType: "application/spdx+json" }),
      );
      assert.deepEqual(
        found.map(({ digest }) => digest),
        [made.digest],
      );
    });
});

test("small content is read as JSON: a manifest, a configuration, a blob by its digest alone", async () => {
  const at = setup();
  put(at.registry, "a/b", "v1", image);
  const { config } = await at.repository.json<Manifest>(image.root);
  at.log.entries.length = 0;
  const { architecture } = await at.repository.json<{ architecture: string }>(config);
  assert.equal(architecture, "amd64");
  assert.deepEqual(await at.repository.json(config.digest), await at.repository.json(config));
  assert.ok(at.asked().every((line) => line === `GET /blobs/${config.digest}`));
  const blob = await at.repository.put(text, { mediaType: mediaTypes.ociConfig });
  await assert.rejects(at.repository.json(blob), failsWith("MANIFEST_INVALID"));
});
