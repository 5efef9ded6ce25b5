/** What an action or an extension ships: an image with a large layer goes from memory into a directory, and is read back. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { copy, open, validate } from "dray";
import { randomImage } from "./image.mjs";

/** Threads that have answered: where none can run the result is the same, and nobody would notice. */
let answered = 0;
process.on("worker", (worker) => worker.once("message", () => answered++));

const main = async () => {
  const image = await randomImage();
  const source = { store: image.store, name: image.root.digest, location: "memory" };
  const { root } = await copy(source, await open("oci:./layout:v1"));
  assert.equal(root.digest, image.root.digest);

  const { store, name } = await open("oci:./layout:v1");
  const { findings, checked } = await validate(store, await store.resolve(name));
  assert.deepEqual({ findings, checked }, { findings: [], checked: 3 });
  const { node, bun, deno } = process.versions;
  if (bun === undefined && deno === undefined && node !== undefined && availableParallelism() > 1)
    assert.equal(answered, 2, "one thread writes the layer, another reads it");
  console.log(`copied, ${answered} threads`);
};

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
