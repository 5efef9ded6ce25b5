/** Whatever call of the file system fails while an archive is written or read: no half archive, no wrong byte, and a line that says why. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { sampleImage } from "@dray/testkit";
import { type FileCall, failEachCall, temporaryFolder } from "@dray/testkit/files";
import { bytesContent, collect, type MemoryStore, memoryStore } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import { digestOf } from "../oci/index.ts";
import { dockerArchive, legacyArchive } from "./index.ts";

const image = sampleImage({ seed: "disk faults", docker: true, layers: 2, layerSize: 3000 });

const source = async (): Promise<MemoryStore> => {
  const store = memoryStore();
  const put = (mediaType: string, bytes: Uint8Array): Promise<void> =>
    store.write({ mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytesContent(bytes));
  for (const bytes of image.blobs.values()) await put("application/octet-stream", bytes);
  for (const { mediaType, bytes } of image.manifests.values()) await put(mediaType, bytes);
  await store.tag(image.root, "v1");
  return store;
};

const inFolder = async (work: (folder: string, file: string) => Promise<void>): Promise<void> => {
  const folder = temporaryFolder("disk-faults");
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

const isDisk = (error: unknown, call: FileCall): void =>
  assert.ok(error === undefined || isDrayError(error, "DISK"), `${JSON.stringify(call)}: ${String(error)}`);

for (const [form, make] of Object.entries({ dockerArchive, legacyArchive }))
  describe(form, () => {
    const write = async (file: string, fs: FileSystem = nodeFiles): Promise<void> => {
      const target = { store: make(file, { fs }), name: "demo/app:v1", location: file };
      // One after the other, so that each attempt makes the same calls.
      await copy({ store: await source(), name: "v1", location: "memory:" }, target, { jobs: 1 });
    };

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
              if (error === undefined) assert.ok(isNew, JSON.stringify(call));
              else {
                failed++;
                assert.ok(isNew || (old === undefined ? now === undefined : now?.equals(old)), JSON.stringify(call));
              }
              await write(file);
              assert.ok((await readFile(file)).equals(wanted), JSON.stringify(call));
              const left = (await readdir(folder)).filter((name) => name !== "whole" && name !== "x.tar");
              assert.deepEqual(left, [], JSON.stringify(call));
            },
          });
          assert.ok(calls >= 15 && failed >= calls, `${failed} failures of ${calls} calls`);
        }));

    for (const [how, pack] of Object.entries({ plain: (bytes: Buffer) => bytes, gzip: gzipSync }))
      test(`read, ${how}`, () =>
        inFolder(async (folder, file) => {
          await write(file);
          await writeFile(file, pack(await readFile(file)));
          let failed = 0;
          const calls = await failEachCall({
            before: async () => {},
            work: async (fs) => {
              const store = make(file, { fs });
              try {
                const root = await store.resolve("");
                const manifest = JSON.parse(Buffer.from(await collect(store.read(root), 1e6, "manifest")).toString());
                for (const part of [manifest.config, ...manifest.layers])
                  assert.equal(digestOf(await collect(store.read(part), 1e6, "part")), part.digest);
              } finally {
                await store.close();
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
  });
