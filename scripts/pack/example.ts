/** What a user of the packages might write first: an image from a registry into a directory. `npm run check:pack` runs it. */
import assert from "node:assert/strict";
import { listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { copy, open } from "dray";
import { algorithmOf } from "dray/oci";

const registry = memoryRegistry();
const image = sampleImage({ seed: "pack", layers: 2, layerSize: 4 * 1024 * 1024 });
put(registry, "sample/image", "v1", image);
const server = await listen(registry.handler);
try {
  const source = await open(`${server.host}/sample/image:v1`);
  const { root, bytes } = await copy(source, await open("oci:./mirror:v1"));
  assert.equal(root.digest, image.root.digest);
  assert.ok(bytes > 8 * 1024 * 1024, "both layers were moved");
  console.log(`${algorithmOf(root.digest)} image, ${bytes} bytes`);
} finally {
  await server.close();
}
