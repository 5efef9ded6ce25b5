import assert from "node:assert/strict";
import { readdir, readFile as readOnDisk, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { corrupt, type Fault, type MemoryRegistry, memoryRegistry, seededBytes } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { imageOf } from "../../../test/layered-image.ts";
import { type Against, against, failsWith } from "../../../test/registry-client.ts";
import { type Given } from "../../../test/tar-of.ts";
import { type BlobCache, blobCache, cachedStore } from "../../cache/index.ts";
import { collect } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { type FileSystem, nodeFiles } from "../../files/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import { type Image, imageFiles, list, readFile, viewOf, walk } from "../index.ts";

/** A layer of four megabytes, half of that when it is compressed. */
const entries: readonly Given[] = [
  { name: "etc/", type: "directory", mode: 0o755 },
  { name: "etc/conf", body: "lower" },
  ...Array.from({ length: 200 }, (_, i) => ({
    name: `data/${i}`,
    body: Buffer.from(seededBytes(`indexed ${i}`, 10_240)).toString("hex"),
  })),
  { name: "data/7", body: "the last one counts" },
  { name: "etc/link", type: "symlink", linkName: "../data/150" },
  { name: "etc/hard", type: "hardlink", linkName: "data/180" },
];
const bodyOf = (name: string): string =>
  String(entries.findLast((entry) => entry.name === name)?.body ?? assert.fail(name));

let registry: MemoryRegistry;
let root: Descriptor;
let layer: Descriptor;

before(async () => {
  registry = memoryRegistry();
  const { repository } = against(registry);
  const image = await imageOf(entries);
  root = image.descriptor;
  layer = (await image.manifest()).layers[0] as Descriptor;
  await copy({ store: image.store, name: root.digest, location: "" }, { store: repository, name: "1", location: "" });
});

interface Looked extends Against {
  readonly image: Image;
  /** Bytes of the layer that came since. */
  readonly moved: () => number;
}

/** The image through a cache, with faults on the way. */
const through = async (cache: BlobCache, rules: readonly Fault[] = []): Promise<Looked> => {
  const client = against(registry, rules);
  const image = await viewOf(cachedStore(client.repository, cache), root);
  assert.ok(image.kind === "image");
  let seen = 0;
  const moved = (): number => {
    const before = seen;
    seen = client.log.select({ target: layer.digest }).reduce((sum, { bytesOut }) => sum + bytesOut, 0);
    return seen - before;
  };
  return { ...client, image, moved };
};

const read = async (image: Image, path: string): Promise<string> =>
  new TextDecoder().decode(await readFile(image, path));

/** A cache in which the layer was read whole. */
const looked = async (): Promise<BlobCache> => {
  const cache = blobCache(temporaryFolder("indexed"));
  const { image, moved } = await through(cache);
  assert.equal(await read(image, "etc/conf"), "lower");
  assert.equal(moved(), layer.size);
  return cache;
};
const indexOf = (cache: BlobCache): string => join(cache.directory, `${layer.digest}.index`);
/** Of a cache whose bound was reached the index may be what is left. */
const withoutLayer = async (cache: BlobCache): Promise<BlobCache> => {
  await unlink(join(cache.directory, layer.digest));
  return cache;
};

describe("files of a gzip layer that was read before", () => {
  test("cost nothing while it is kept, and only the spans that they lie in when it is not", async () => {
    const cache = await looked();
    const { image, moved } = await through(cache);
    assert.equal(await read(image, "etc/link"), bodyOf("data/150"));
    assert.equal(moved(), 0);
    await withoutLayer(cache);
    const again = await through(cache);
    assert.equal((await list(again.image, "etc")).length, 3);
    assert.equal(again.moved(), 0, "what is in it, the index says");
    assert.equal(await read(again.image, "etc/link"), bodyOf("data/150"));
    const moves = again.moved();
    assert.ok(moves > 0 && moves < 0.75 * 2 ** 20, `${moves} of ${layer.size} bytes`);
    assert.equal(await read(again.image, "data/7"), "the last one counts");
    assert.equal(await read(again.image, "etc/hard"), bodyOf("data/180"));
    assert.ok(again.moved() < 1.5 * 2 ** 20);
    assert.deepEqual(
      (await cache.list()).map(({ kind }) => kind).sort(),
      ["blob", "index"],
      "a part of a layer is not kept; the configuration is",
    );
  });

  test("are the same as those of one that is read whole, each and every one", async () => {
    const cache = await withoutLayer(await looked());
    const { image } = await through(cache);
    const { repository } = against(registry);
    const bare = await viewOf(repository, root);
    assert.ok(bare.kind === "image");
    assert.deepEqual(await Array.fromAsync(walk(image)), await Array.fromAsync(walk(bare)));
    const files = await imageFiles(image);
    for (let i = 0; i < 200; i += 9) {
      const bytes = await collect(await files.open(`data/${i}`), 1e6, "file");
      assert.equal(Buffer.from(bytes).toString(), bodyOf(`data/${i}`));
    }
  });

  test("come in parts from the very call that has read the layer for the list", async () => {
    const { image, log } = await through(blobCache(temporaryFolder("indexed")));
    const files = await imageFiles(image);
    await files.list("/");
    for (const i of [3, 50, 199]) await collect(await files.open(`data/${i}`), 1e6, "file");
    assert.equal(log.count({ target: layer.digest }), 1);
  });

  test("that are wrong on the way are refused, and nothing of them is given", async () => {
    const cache = await withoutLayer(await looked());
    const { image } = await through(cache, [{ target: layer.digest, method: "GET", effect: corrupt(70_000) }]);
    await assert.rejects(readFile(image, "data/150"), failsWith("DIGEST_MISMATCH"));
    const { image: fine } = await through(cache);
    assert.equal(await read(fine, "data/150"), bodyOf("data/150"));
  });

  test("of a layer that was damaged where it is kept come from the registry", async () => {
    const warnings: string[] = [];
    const cache = await looked();
    const path = join(cache.directory, layer.digest);
    const kept = await readOnDisk(path);
    await writeFile(path, kept.fill(0, layer.size / 2));
    const { image, moved } = await through(
      blobCache(cache.directory, { onWarning: (message) => void warnings.push(message) }),
    );
    assert.equal(await read(image, "data/150"), bodyOf("data/150"));
    assert.ok(moved() < layer.size);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /is damaged and is fetched again/);
  });
});

describe("the index of a layer", () => {
  test("that is damaged, or another user's, is made again", async () => {
    const cache = await looked();
    const right = await readOnDisk(indexOf(cache));
    for (const wrong of [
      right.subarray(1),
      Buffer.concat([Buffer.alloc(2000, 1), right.subarray(2000)]),
      Buffer.alloc(0),
    ]) {
      await writeFile(indexOf(cache), wrong);
      const { image, moved } = await through(cache);
      assert.equal(await read(image, "data/60"), bodyOf("data/60"));
      assert.equal((await Array.fromAsync(walk(image))).length, 206);
      assert.equal(moved(), 0, "the layer is kept");
      assert.deepEqual(await readOnDisk(indexOf(cache)), right);
    }
    if (process.getuid === undefined) return;
    const files: FileSystem = {
      ...nodeFiles,
      stat: async (path) => Object.assign(await nodeFiles.stat(path), { uid: (process.getuid?.() ?? 0) + 1 }),
    };
    const made = (await stat(indexOf(cache))).ino;
    const { image } = await through(blobCache(cache.directory, { files }));
    assert.equal(await read(image, "data/150"), bodyOf("data/150"));
    assert.notEqual((await stat(indexOf(cache))).ino, made);
  });

  test("counts with the bytes of the cache, and outlives its layer", async () => {
    const cache = await looked();
    const [size] = (await cache.list()).flatMap(({ kind, size }) => (kind === "index" ? [size] : []));
    assert.equal((await stat(indexOf(cache))).size, size);
    assert.equal((await stat(indexOf(cache))).mode & 0o077, 0);
    const blob = join(cache.directory, layer.digest);
    for (const path of [blob, indexOf(cache)]) await utimes(path, 1000, 1000);
    const { removed, left } = await cache.prune({ keep: layer.size });
    assert.deepEqual(
      removed.map(({ kind, digest }) => [kind, digest]),
      [["blob", layer.digest]],
    );
    assert.ok(left >= (size ?? 0));
    assert.equal((await cache.prune({ unusedFor: 3_600_000 })).removed[0]?.kind, "index");
    assert.deepEqual(
      await readdir(cache.directory).then((names) => names.filter((name) => /index|part/.test(name))),
      [],
    );
  });

  test("is kept alone where the layer is too large to be kept, and not at all where nothing is", async () => {
    const small = blobCache(temporaryFolder("indexed"), { limit: layer.size - 1 });
    const { image } = await through(small);
    await readFile(image, "etc/conf");
    assert.deepEqual(
      (await small.list()).flatMap(({ digest, kind }) => (digest === layer.digest ? [kind] : [])),
      ["index"],
    );
    const again = await through(small);
    assert.equal(await read(again.image, "data/150"), bodyOf("data/150"));
    assert.ok(again.moved() < 0.75 * 2 ** 20);
    for (const limit of [0, 1000]) {
      const tiny = blobCache(temporaryFolder("indexed"), { limit });
      await readFile((await through(tiny)).image, "etc/conf");
      assert.ok(!(await readdir(tiny.directory)).some((name) => name.includes(layer.digest) || name.includes("part")));
    }
  });

  test("is whole for each of many that make it, and read it, at a time", async () => {
    const { directory } = blobCache(temporaryFolder("indexed"));
    await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const { image } = await through(blobCache(directory));
        assert.equal(await read(image, `data/${i * 30}`), bodyOf(`data/${i * 30}`));
        if (i % 2 === 0) await unlink(join(directory, `${layer.digest}.index`)).catch(() => {});
        assert.equal(await read(image, "etc/link"), bodyOf("data/150"));
      }),
    );
    assert.ok((await readdir(directory)).every((name) => name.startsWith("sha256:")));
  });
});
