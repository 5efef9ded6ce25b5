/**
 * What an action or an extension ships: Dray in one file, which runs where nothing else lies. `npm run check:pack` bundles it in
 * several ways. An image with a layer that is left to threads goes from memory into a directory, and is read back.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { sampleImage } from "@dray/testkit";
import { bytesContent, copy, digestOf, memoryStore, open, validate } from "dray";

/** Threads that have answered: where none can run the result is the same, and nobody would notice. */
let answered = 0;
process.on("worker", (worker) => worker.once("message", () => answered++));

const main = async (): Promise<void> => {
  const image = sampleImage({ seed: "bundled", layers: 1, layerSize: 16 * 1024 * 1024 });
  const memory = memoryStore();
  for (const bytes of image.blobs.values())
    await memory.ingest(bytesContent(bytes), { mediaType: "application/octet-stream" });
  for (const { bytes } of image.manifests.values()) await memory.write(image.root, bytesContent(bytes));

  const { root } = await copy(
    { store: memory, name: image.root.digest, location: "memory" },
    await open("oci:./layout:v1"),
  );
  assert.equal(root.digest, image.root.digest);
  for (const { digest } of [image.root, image.config, ...image.layers])
    assert.equal(digestOf(readFileSync(`layout/blobs/${digest.replace(":", "/")}`)), digest);

  const { store, name } = await open("oci:./layout:v1");
  const { findings, checked } = await validate(store, await store.resolve(name));
  assert.deepEqual({ findings, checked }, { findings: [], checked: 3 });
  if (availableParallelism() > 1) assert.equal(answered, 2, "one thread writes the layer, another reads it");
  console.log(`${checked} checked, ${answered} threads`);
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
