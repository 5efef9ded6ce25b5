/** Whatever call of the file system fails while an OCI archive is written or read: no half archive, no wrong byte, and a line that says why. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { sampleIndex } from "@dray/testkit";
import { type FileCall, failEachCall, temporaryFolder } from "@dray/testkit/files";
import { bytesContent, type MemoryStore, memoryStore } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import { digestOf } from "../oci/index.ts";
import { ociArchive } from "./index.ts";

const index = sampleIndex({ seed: "archive faults", image: { layers: 1, layerSize: 3000 } });

const source = async (): Promise<MemoryStore> => {
  const store = memoryStore();
  const put = (mediaType: string, bytes: Uint8Array): Promise<void> =>
    store.write({ mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytesContent(bytes));
  for (const bytes of index.blobs.values()) await put("application/octet-stream", bytes);
  for (const { mediaType, bytes } of index.manifests.values()) await put(mediaType, bytes);
  await store.tag(index.root, "v1");
  return store;
};

const inFolder = async (work: (folder: string, file: string) => Promise<void>): Promise<void> => {
  const folder = temporaryFolder("archive-faults");
  const [place, temporary] = [join(folder, "place"), join(folder, "tmp")];
  // Where nothing can be removed temporary files stay; here they trouble nobody.
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = temporary;
  try {
    await Promise.all([place, temporary].map((path) => mkdir(path)));
    await work(place, join(place, "x.tar"));
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
};

const write = async (file: string, fs: FileSystem = nodeFiles): Promise<void> => {
  const target = { store: ociArchive(file, { fs }), name: "v1", location: file };
  // One after the other, so that each attempt makes the same calls.
  await copy({ store: await source(), name: "v1", location: "memory:" }, target, { jobs: 1 });
};

const isDisk = (error: unknown, call: FileCall): void =>
  assert.ok(error === undefined || isDrayError(error, "DISK"), `${JSON.stringify(call)}: ${String(error)}`);

for (const old of [undefined, Buffer.from("an older archive")])
  test(`written where ${old === undefined ? "nothing is" : "an older one stands"}`, () =>
    inFolder(async (folder, file) => {
      const whole = join(folder, "whole");
      await write(whole);
      const wanted = await readFile(whole);
      let failed = 0;
      const calls = await failEachCall({
        before: async () => {
          for (const name of await readdir(folder)) if (name !== "whole") await rm(join(folder, name));
          if (old !== undefined) await writeFile(file, old);
        },
        work: (fs) => write(file, fs),
        after: async (error, call) => {
          isDisk(error, call);
          const now = await readFile(file).catch(() => undefined);
          const isNew = now?.equals(wanted) === true;
          if (error !== undefined) failed++;
          const untouched = old === undefined ? now === undefined : now?.equals(old);
          assert.ok(isNew || (error !== undefined && untouched), JSON.stringify(call));
          await write(file);
          assert.ok((await readFile(file)).equals(wanted), JSON.stringify(call));
          assert.deepEqual((await readdir(folder)).sort(), ["whole", "x.tar"], JSON.stringify(call));
        },
      });
      assert.ok(calls >= 15 && failed >= calls, `${failed} failures of ${calls} calls`);
    }));

for (const [how, pack] of Object.entries({ plain: (bytes: Buffer) => bytes, zstd: zstdCompressSync }))
  test(`read, ${how}`, () =>
    inFolder(async (folder, file) => {
      await write(file);
      await writeFile(file, pack(await readFile(file)));
      let failed = 0;
      const calls = await failEachCall({
        before: async () => {},
        work: async (fs) => {
          const [archive, into] = [ociArchive(file, { fs }), memoryStore()];
          try {
            const from = { store: archive, name: "v1", location: file };
            await copy(from, { store: into, name: "v1", location: "memory:" }, { jobs: 1 });
            assert.equal((await into.resolve("v1")).digest, index.root.digest);
          } finally {
            await archive.close();
          }
        },
        after: async (error, call) => {
          isDisk(error, call);
          if (error !== undefined) failed++;
          assert.deepEqual(await readdir(folder), ["x.tar"]);
        },
      });
      assert.ok(calls >= 5 && failed >= calls, `${failed} failures of ${calls} calls`);
    }));
