/** What an action or an extension ships: an image with a large layer goes from memory into a directory, and is read back. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { bytesContent, copy, memoryStore, open, validate } from "dray";
import { compressLayer } from "dray/image";
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
  const more = await compressed();
  assert.ok(more > 0 || deno !== undefined, "threads compress what is longer than a segment");
  console.log(`copied, ${answered - more} threads; compressed, ${more} more`);
};

/** Layers are compressed to the same bytes wherever this runs, which is told by their digest; says how many threads have answered. */
const compressed = async () => {
  const before = answered;
  const memory = memoryStore();
  const text = Array.from({ length: 200_000 }, (_, i) => `${(i * i) % 7919} of ${i}\n`).join("");
  const plain = await memory.ingest(bytesContent(Buffer.from(text)), {
    mediaType: "application/vnd.oci.image.layer.v1.tar",
  });
  const { digest } = await compressLayer(memory, memory, plain);
  assert.equal(digest, "sha256:f39c11ec15cb6c9e64a9b460879a43a879eefe0252203ccedc67b69f0290dc61");
  return answered - before;
};

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
