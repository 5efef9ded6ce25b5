import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { corrupt, type Fault, type MemoryRegistry, memoryRegistry, seededBytes } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { against, failsWith } from "../../../test/registry-client.ts";
import { type Given, tarOf } from "../../../test/tar-of.ts";
import { collect, type ReadableStore } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { layoutStore, ociArchive } from "../../layout/index.ts";
import { type Descriptor, digestOf } from "../../oci/index.ts";
import {
  appended,
  diff,
  edit,
  emptyImage,
  type Image,
  imageFiles,
  ingestLayer,
  list,
  readFile,
  viewOf,
  walk,
} from "../index.ts";

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const text = (of: string): Uint8Array => new TextEncoder().encode(of);

/** Two layers: the lower one of two megabytes that no compression makes smaller. */
const lower: readonly Given[] = [
  { name: "etc/", type: "directory", mode: 0o755 },
  { name: "etc/conf", body: "lower" },
  { name: "etc/gone", body: "gone" },
  ...Array.from({ length: 100 }, (_, i) => ({
    name: `data/${i}`,
    body: Buffer.from(seededBytes(`seekable ${i}`, 10_240)).toString("hex"),
  })),
  { name: "etc/link", type: "symlink", linkName: "../data/7" },
  { name: "etc/hard", type: "hardlink", linkName: "data/8" },
];
const upper: readonly Given[] = [{ name: "etc/conf", body: "upper" }, { name: "etc/.wh.gone" }];

let registry: MemoryRegistry;
let root: Descriptor;
let layers: readonly Descriptor[];

before(async () => {
  registry = memoryRegistry();
  const { repository } = against(registry);
  const made = [];
  for (const entries of [lower, upper]) {
    const layer = await ingestLayer(repository, tarOf(entries), { estargz: {} });
    made.push({ layer });
  }
  const edited = await edit(await emptyImage(), appended(made));
  root = edited.root;
  layers = made.map(({ layer }) => layer.descriptor);
  await copy({ store: edited.store, name: root.digest, location: "" }, { store: repository, name: "1", location: "" });
});

const imageIn = async (store: ReadableStore): Promise<Image> => {
  const view = await viewOf(store, root);
  assert.ok(view.kind === "image");
  return view;
};

describe("files of layers that can be read in parts", () => {
  test("cost their chunks, the tables of contents and little more", async () => {
    const { repository, log } = against(registry);
    const bytes = await readFile(await imageIn(repository), "/etc/link");
    assert.equal(digestOf(bytes), digestOf(Buffer.from(lower[10]?.body ?? "")));
    const out = log.select({ method: "GET", target: "/blobs/" }).reduce((sum, { bytesOut }) => sum + bytesOut, 0);
    assert.ok(out < 64 * 1024 + 20_480, `${out} of ${layers[0]?.size} bytes`);
    assert.ok((layers[0]?.size ?? 0) > 1_000_000);
  });

  test("are listed without their bytes, with what layers above say", async () => {
    const { repository, log } = against(registry);
    const image = await imageIn(repository);
    assert.deepEqual(
      (await list(image, "/etc")).map(({ path, size }) => [path, size]),
      [
        ["/etc/conf", 5],
        ["/etc/hard", 20_480],
        ["/etc/link", 0],
      ],
    );
    const out = log.select({ method: "GET", target: "/blobs/" }).reduce((sum, { bytesOut }) => sum + bytesOut, 0);
    assert.ok(out < 64 * 1024, `${out}`);
    assert.equal(textOf(await readFile(image, "etc/conf")), "upper");
    assert.equal((await readFile(image, "etc/hard")).byteLength, 20_480);
    await assert.rejects(readFile(image, "etc/gone"), failsWith("NOT_FOUND"));
  });

  test("are the same in a layout and in an archive, each and every one", async () => {
    const { repository } = against(registry);
    const folder = temporaryFolder("seekable-files");
    const source = { store: repository, name: "1", location: "" };
    for (const store of [layoutStore(join(folder, "layout")), ociArchive(join(folder, "image.tar"))]) {
      await copy(source, { store, name: "1", location: "" });
      const files = await imageFiles(await imageIn(store));
      let count = 0;
      for await (const { path, type } of walk(await imageIn(store), "/data")) {
        if (type !== "file") continue;
        count++;
        const given = lower.find(({ name }) => `/${name}` === path);
        const bytes = await collect(await files.open(path), 1e6, path);
        assert.equal(digestOf(bytes), digestOf(Buffer.from(given?.body ?? "")), path);
      }
      assert.equal(count, 100);
      await store.close();
    }
  });
});

test("who wants the bytes of all files gets a layer in one piece", async () => {
  const { repository, log } = against(registry);
  const { layers: apart, files } = await diff(await imageIn(repository), await emptyImage());
  assert.equal(apart.before.length, 2);
  assert.ok([...files()].some(({ path }) => path === "/data/99"));
  for (const { digest } of layers) assert.equal(log.count({ method: "GET", target: digest }), 1);
});

describe("a layer whose bytes were changed", () => {
  const damaged = (at: number): Fault => ({ target: layers[0]?.digest ?? "", method: "GET", effect: corrupt(at) });

  test("in its table of contents is read whole, where its own digest tells", async () => {
    const { repository } = against(registry, [damaged(1000)]);
    await assert.rejects(
      readFile(await imageIn(repository), "/data/3"),
      failsWith("DIGEST_MISMATCH", "MANIFEST_INVALID"),
    );
  });

  test("in a file gives an error, and no wrong byte", async () => {
    const size = layers[0]?.size ?? 0;
    // The first request is for the end, with the table; whatever comes next is a file.
    const rule: Fault = { ...damaged(500), nth: 2 };
    const { repository, log } = against(registry, [rule]);
    await assert.rejects(
      readFile(await imageIn(repository), "/data/3"),
      failsWith("DIGEST_MISMATCH", "MANIFEST_INVALID"),
    );
    const out = log.select({ target: layers[0]?.digest ?? "" }).reduce((sum, { bytesOut }) => sum + bytesOut, 0);
    assert.ok(out < size / 4, "it is not read whole for that");
  });

  test("and whose annotation is of another one is read whole and right", async () => {
    const { repository } = against(registry);
    const image = await imageIn(repository);
    const wrong = { "containerd.io/snapshot/stargz/toc.digest": digestOf(text("other")) };
    const layersOf = (found: Image) => found.manifest().then((manifest) => manifest.layers);
    const changed = await edit(image, {
      image: async (found) => ({ layers: (await layersOf(found)).map((layer) => ({ ...layer, annotations: wrong })) }),
    });
    const view = await viewOf(changed.store, changed.root);
    assert.ok(view.kind === "image");
    assert.equal(textOf(await readFile(view, "/etc/conf")), "upper");
    assert.equal((await readFile(view, "/data/99")).byteLength, 20_480);
  });
});
