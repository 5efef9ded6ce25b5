import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { filesystemDriver } from "../../src/storage/index.ts";
import { recordFiles } from "../power-cut/index.ts";
import { expect } from "./client.ts";

let root = "";
before(() => {
  root = temporaryFolder("present");
});
const blob = seededBytes("blob", 100_000);
const digest = digestOf(blob);
const manifest = encodeJson({
  schemaVersion: 2,
  config: { mediaType: mediaTypes.ociConfig, digest, size: blob.byteLength },
  layers: [],
});

const push = async (registry: Registry): Promise<void> => {
  await expect(registry, `POST /v2/one/blobs/uploads/?digest=${digest}`, [201], { body: blob });
  await expect(registry, `POST /v2/two/blobs/uploads/?mount=${digest}&from=one`, [201]);
  for (const repository of ["one", "two"])
    await expect(registry, `PUT /v2/${repository}/manifests/latest`, [201], {
      body: manifest,
      type: mediaTypes.ociManifest,
    });
};

test("what is there already lasts once it is pushed, whoever wrote it and never waited for the disk", async () => {
  const folder = join(root, "data");
  await mkdir(folder);
  const recording = await recordFiles(folder);
  // As distribution does it, or a process that is killed between a rename and the sync of its directory.
  const before = createRegistry({
    driver: await filesystemDriver(folder, { durability: "relaxed", fs: recording.files }),
  });
  await push(before);
  await before.close();
  const registry = createRegistry({ driver: await filesystemDriver(folder, { fs: recording.files }) });
  await push(registry);
  await registry.close();

  const left = join(root, "left");
  await recording.materialise(left, { after: recording.length, chance: () => 0 });
  const again = createRegistry({ driver: await filesystemDriver(left) });
  for (const repository of ["one", "two"]) {
    const { bytes } = await expect(again, `GET /v2/${repository}/manifests/latest`, [200]);
    assert.deepEqual(bytes, new Uint8Array(manifest));
    assert.deepEqual((await expect(again, `GET /v2/${repository}/blobs/${digest}`, [200])).bytes, blob);
  }
  await again.close();
});
