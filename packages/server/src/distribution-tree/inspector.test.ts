import assert from "node:assert/strict";
import { test } from "node:test";
import threads from "node:worker_threads";
import { isDrayError } from "dray/errors";
import { closeThreads } from "dray/internal/threads";
import { type Digest, digestOf, mediaTypes } from "dray/oci";
import { type Inspection, inspect } from "./inspection.ts";
import { inspectedElsewhere, inspectManifest } from "./inspector.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const digest = (i: number): Digest => digestOf(bytes(i));
const padding = "x".repeat(inspectedElsewhere);

const index = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  subject: { mediaType: mediaTypes.ociManifest, digest: digest(-1), size: 9 },
  annotations: { padding, a: "b" },
  manifests: Array.from({ length: 50 }, (_, i) => ({
    mediaType: i % 2 === 0 ? mediaTypes.ociManifest : mediaTypes.ociIndex,
    digest: digest(i % 40),
    size: i % 40,
    ...(i % 3 === 0 ? { urls: ["https://elsewhere.example"] } : {}),
    ...(i % 5 === 0 ? { platform: { os: "linux", architecture: "amd64" } } : {}),
  })),
};
const image = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { mediaType: mediaTypes.ociConfig, digest: digest(1), size: 1 },
  layers: [],
  padding,
};

const documents: readonly (readonly [what: string, content: Uint8Array, type?: string])[] = [
  ["an index", bytes(index)],
  ["an index as another type", bytes(index), mediaTypes.dockerList],
  ["an image", bytes(image)],
  ["an empty index", bytes({ ...index, manifests: [] })],
  ["a member in other letters", bytes({ ...image, Layers: [] })],
  ["schema 1", bytes({ schemaVersion: 1, fsLayers: [{ blobSum: digest(1) }, { blobSum: digest(2) }], padding })],
  ["no manifest", bytes({ padding })],
  ["no JSON", new TextEncoder().encode(padding)],
];

const saidBeside = ({ shows, isManifest, ambiguity, fault }: Inspection): unknown[] => [
  shows,
  isManifest,
  ambiguity,
  isDrayError(fault) ? [fault.code, fault.message] : fault,
];

for (const [what, content, type] of documents)
  test(`a thread reads what would be read here: ${what}`, async () => {
    assert.ok(content.byteLength >= inspectedElsewhere);
    const [here, there] = [inspect(content, type), await inspectManifest(content, type)];
    assert.deepEqual(there.described, here.described);
    // What else a descriptor has is nobody's concern.
    const few = here.children.map(({ digest, size, mediaType, urls, platform }) =>
      JSON.parse(JSON.stringify({ mediaType, urls, platform, digest, size })),
    );
    assert.deepEqual(there.children, few);
    assert.deepEqual(saidBeside(there), saidBeside(here));
  });

test("only what is large goes to a thread, and is read here where none can start", async () => {
  await closeThreads();
  const { Worker } = threads;
  let started = 0;
  threads.Worker = function () {
    started++;
    throw new Error("no threads here");
  } as unknown as typeof Worker;
  try {
    assert.equal((await inspectManifest(bytes({ ...image, padding: "" }))).described.readable, true);
    assert.equal(started, 0);
    assert.deepEqual((await inspectManifest(bytes(index))).described, inspect(bytes(index)).described);
    assert.equal(started, 1);
  } finally {
    threads.Worker = Worker;
    await closeThreads();
  }
});
