/** A registry of the testkit, served and spoken to in one process. */
import assert from "node:assert/strict";
import { listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { copy, open } from "dray";

const registry = memoryRegistry();
const image = sampleImage({ seed: "consumers", layers: 2, layerSize: 1024 * 1024 });
put(registry, "sample/image", "v1", image);
const server = await listen(registry.handler);
try {
  const { root } = await copy(await open(`${server.host}/sample/image:v1`), await open("oci:./mirror:v1"));
  assert.equal(root.digest, image.root.digest);
  console.log("served");
} finally {
  await server.close();
}
