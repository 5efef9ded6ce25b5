import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { copy, isDrayError, open } from "dray";

test("an image from a registry of the test into a new directory", async () => {
  const folder = `modules-layout-${process.pid}`;
  const registry = memoryRegistry();
  const image = sampleImage({ seed: "modules", layers: 1, layerSize: 16 * 1024 * 1024 });
  put(registry, "sample/image", "v1", image);
  const server = await listen(registry.handler);
  try {
    const { root } = await copy(await open(`${server.host}/sample/image:v1`), await open(`oci:./${folder}:v1`));
    assert.equal(root.digest, image.root.digest);
    const { store } = await open(`oci:./${folder}:v1`);
    const error = await store.resolve("v2").then(String, (error) => error);
    assert.ok(isDrayError(error, "NOT_FOUND"));
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
