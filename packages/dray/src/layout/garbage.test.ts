import assert from "node:assert/strict";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Sample, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { bytesContent } from "../content/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { nodeFiles } from "../files/index.ts";
import { type Digest, digestOf, encodeJson, hexOf, mediaTypes } from "../oci/index.ts";
import { collectLayoutGarbage, layoutStore } from "./index.ts";

const put = async (dir: string, sample: Sample, name?: string): Promise<void> => {
  const store = layoutStore(dir);
  for (const [digest, bytes] of sample.blobs)
    await store.write({ mediaType: "", digest, size: bytes.byteLength }, bytesContent(bytes), { kind: "blob" });
  for (const [digest, { mediaType, bytes }] of sample.manifests)
    await store.write({ mediaType, digest, size: bytes.byteLength }, bytesContent(bytes));
  if (name !== undefined) await store.tag(sample.root, name);
  await store.close();
};

const remove = async (dir: string, name: string): Promise<void> => {
  const store = layoutStore(dir);
  await store.remove(name);
  await store.close();
};

const contentOf = (...samples: readonly Sample[]): string[] =>
  [...new Set(samples.flatMap(({ blobs, manifests }) => [...blobs.keys(), ...manifests.keys()]))].sort();

const filesIn = async (dir: string, algorithm = "sha256"): Promise<string[]> =>
  (await readdir(join(dir, "blobs", algorithm))).map((name) => `${algorithm}:${name}`).sort();

const image = sampleImage({ seed: "garbage" });
const index = sampleIndex({ seed: "garbage", attestations: true, more: [sampleIndex({ seed: "garbage/inner" })] });
const old = sampleImage({ seed: "garbage/old" });
const shared = { ...sampleImage({ seed: "garbage/shared" }), blobs: new Map([...image.blobs, ...old.blobs]) };
const about = sampleArtifact({ seed: "garbage/about", subject: image.root });

describe("garbage of a layout", () => {
  test("what nothing leads to is removed; indexes in indexes, attestations and referrers stay", async () => {
    const dir = temporaryFolder("garbage");
    await put(dir, image, "a");
    await put(dir, index, "b");
    await put(dir, about);
    await put(dir, old, "old");
    await remove(dir, "old");
    const wanted = contentOf(old);
    const dry = await collectLayoutGarbage(dir, { dryRun: true });
    assert.deepEqual(dry.removed.map(({ digest }) => digest).sort(), wanted);
    assert.deepEqual(await filesIn(dir), contentOf(image, index, about, old));
    const told: Digest[] = [];
    const { removed, kept } = await collectLayoutGarbage(dir, { onRemoved: ({ digest }) => told.push(digest) });
    assert.deepEqual([removed, told], [dry.removed, dry.removed.map(({ digest }) => digest)]);
    assert.equal(removed.find(({ digest }) => digest === old.root.digest)?.size, old.root.size);
    assert.deepEqual(await filesIn(dir), contentOf(image, index, about));
    assert.equal(kept, contentOf(image, index, about).length);
    assert.deepEqual((await collectLayoutGarbage(dir)).removed, []);
  });

  test("a blob that something else needs stays, and so does what an unnamed entry leads to", async () => {
    const dir = temporaryFolder("garbage");
    await put(dir, shared, "shared");
    await put(dir, image, "image");
    await remove(dir, "shared");
    await collectLayoutGarbage(dir);
    assert.deepEqual(await filesIn(dir), contentOf(image));
    const unnamed = { schemaVersion: 2, manifests: [{ ...image.root }] };
    await writeFile(join(dir, "index.json"), JSON.stringify(unnamed));
    assert.deepEqual((await collectLayoutGarbage(dir)).removed, []);
  });

  test("sha512, schema 1, blobs among entries and files that are nobody's", async () => {
    const dir = temporaryFolder("garbage");
    await put(dir, image, "a");
    const write = async (bytes: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): Promise<Digest> => {
      const digest = digestOf(bytes, algorithm);
      await mkdir(join(dir, "blobs", algorithm), { recursive: true });
      await writeFile(join(dir, "blobs", algorithm, hexOf(digest)), bytes);
      return digest;
    };
    const layer = await write(encodeJson("a layer of schema 1"));
    const schema1 = encodeJson({
      schemaVersion: 1,
      name: "a",
      tag: "b",
      fsLayers: [{ blobSum: layer }],
      history: [{}],
    });
    const lone = await write(encodeJson("a blob that is an entry"), "sha512");
    const gone = await write(encodeJson("nothing leads to this"), "sha512");
    const entries = [
      { ...image.root },
      { mediaType: mediaTypes.dockerSchema1Signed, digest: await write(schema1), size: schema1.byteLength },
      { mediaType: "application/x-blob", digest: lone, size: 25 },
    ];
    await writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: entries }));
    await writeFile(join(dir, "blobs/sha256/notes.txt"), "mine");
    await mkdir(join(dir, "blobs/sha256", "0".repeat(64)));
    const { removed } = await collectLayoutGarbage(dir);
    assert.deepEqual(
      removed.map(({ digest }) => digest),
      [gone],
    );
    assert.deepEqual(await filesIn(dir, "sha512"), [lone]);
    assert.ok((await readdir(join(dir, "blobs/sha256"))).includes("notes.txt"));
  });

  test("a layout of which some platforms were copied", async () => {
    const dir = temporaryFolder("garbage");
    await put(dir, index, "b");
    const [first] = index.images;
    await rm(join(dir, "blobs/sha256", hexOf(first?.root.digest as Digest)));
    const { removed } = await collectLayoutGarbage(dir);
    // What the missing image would need is needed by nothing that is there.
    assert.deepEqual(removed.map(({ digest }) => digest).sort(), [...(first?.blobs.keys() ?? [])].sort());
  });

  const refused: readonly [string, ErrorCode, (dir: string) => Promise<unknown>][] = [
    ["a folder that is no layout", "LAYOUT_INVALID", (dir) => rm(join(dir, "index.json"))],
    ["a damaged index", "LAYOUT_INVALID", (dir) => writeFile(join(dir, "index.json"), "{")],
    [
      "a manifest with other bytes",
      "DIGEST_MISMATCH",
      (dir) => writeFile(join(dir, "blobs/sha256", hexOf(image.root.digest)), "x".repeat(image.root.size)),
    ],
  ];
  for (const [what, code, damage] of refused)
    test(`${what}: nothing is removed`, async () => {
      const dir = temporaryFolder("garbage");
      await put(dir, image, "a");
      await put(dir, old);
      await remove(dir, old.root.digest);
      const before = await filesIn(dir);
      await damage(dir);
      await assert.rejects(collectLayoutGarbage(dir), (error) => isDrayError(error, code));
      assert.deepEqual(await filesIn(dir), before);
    });

  test("not while somebody writes it, and a disk that refuses is said", async () => {
    const dir = temporaryFolder("garbage");
    await put(dir, image, "a");
    await put(dir, old, "old");
    await remove(dir, "old");
    const writer = layoutStore(dir);
    await writer.tag(image.root, "again");
    await assert.rejects(collectLayoutGarbage(dir), (error) => isDrayError(error, "LOCKED"));
    assert.ok((await collectLayoutGarbage(dir, { dryRun: true })).removed.length > 0);
    await writer.close();
    const fs = {
      ...nodeFiles,
      unlink: async (path: string) => {
        if (path.includes("blobs")) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        await nodeFiles.unlink(path);
      },
    };
    await assert.rejects(collectLayoutGarbage(dir, { fs }), (error) => isDrayError(error, "DISK"));
    assert.ok((await collectLayoutGarbage(dir)).removed.length > 0);
  });
});
