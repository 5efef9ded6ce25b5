const assert = require("node:assert/strict");
const { rmSync } = require("node:fs");
const { copy, DrayError, isDrayError, open, viewOf } = require("dray");
const { memoryRegistry, listen, put, sampleImage } = require("@dray/testkit");

test("an image from a registry of the test into a directory", async () => {
  rmSync("jest-layout", { recursive: true, force: true });
  const registry = memoryRegistry();
  const image = sampleImage({ seed: "jest", layers: 1, layerSize: 16 * 1024 * 1024 });
  put(registry, "sample/image", "v1", image);
  const server = await listen(registry.handler);
  try {
    const { root } = await copy(await open(`${server.host}/sample/image:v1`), await open("oci:./jest-layout:v1"));
    assert.equal(root.digest, image.root.digest);
    const { store } = await open("oci:./jest-layout:v1");
    const error = await store.resolve("v2").then(String, (error) => error);
    assert.ok(error instanceof DrayError && isDrayError(error, "NOT_FOUND"));
    assert.equal((await (await viewOf(store, await store.resolve("v1"))).config()).os, "linux");
  } finally {
    await server.close();
  }
}, 120_000);
