import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import { bytesContent, type MemoryStore, memoryStore } from "../content/index.ts";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { validate } from "./validate.ts";

const layerBytes = (seed: number): Uint8Array => seededBytes(seed, 300_000);

interface Recipe {
  readonly layers: readonly { readonly plain: Uint8Array; readonly lies: Uint8Array; readonly mediaType: string }[];
  readonly ids?: readonly string[];
  readonly rootfsType?: string;
}

const image = async (store: MemoryStore, { layers, ids, rootfsType = "layers" }: Recipe): Promise<Descriptor> => {
  const add = (bytes: Uint8Array, mediaType: string): Promise<Descriptor> =>
    store.ingest(bytesContent(bytes), { mediaType });
  const config = {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: rootfsType, diff_ids: ids ?? layers.map(({ plain }) => digestOf(plain)) },
  };
  const below = [];
  for (const { lies, mediaType } of layers) below.push(await add(lies, mediaType));
  const manifest = { schemaVersion: 2, config: await add(encodeJson(config), mediaTypes.ociConfig), layers: below };
  return add(encodeJson(manifest), mediaTypes.ociManifest);
};

const gz = (seed: number) => ({
  plain: layerBytes(seed),
  lies: gzipSync(layerBytes(seed)),
  mediaType: mediaTypes.ociLayerGzip,
});

const messages = async (store: MemoryStore, root: Descriptor, fast = false): Promise<string[]> =>
  (await validate(store, root, { fast })).findings.map(({ message }) => message);

/** A store that returns other bytes for one digest. */
const withWrong = (store: MemoryStore, digest: string, bytes: Uint8Array | undefined): MemoryStore =>
  new Proxy(store, {
    get: (target, key) => {
      if (key === "read")
        return (descriptor: Descriptor, options: object) =>
          descriptor.digest === digest && bytes !== undefined
            ? bytesContent(bytes).open()
            : target.read(descriptor, options);
      if (key === "has")
        return async (descriptor: Descriptor) => descriptor.digest !== digest && target.has(descriptor);
      const value = Reflect.get(target, key) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

describe("validate", () => {
  test("an image with gzip, zstd and plain layers is whole", async () => {
    const store = memoryStore();
    const zstd = { plain: layerBytes(2), lies: zstdCompressSync(layerBytes(2)), mediaType: mediaTypes.ociLayerZstd };
    const plain = { plain: layerBytes(3), lies: layerBytes(3), mediaType: mediaTypes.ociLayer };
    const root = await image(store, { layers: [gz(1), zstd, plain, gz(1)] });
    const result = await validate(store, root);
    assert.deepEqual(result.findings, []);
    assert.equal(result.checked, 5);
  });

  const faults: [name: string, recipe: Recipe, expected: RegExp][] = [
    [
      "a diffID that is another's",
      { layers: [gz(1)], ids: [digestOf(layerBytes(9))] },
      /diffID is sha256:.*configuration says/,
    ],
    ["diffIDs that are too few", { layers: [gz(1), gz(2)], ids: [digestOf(layerBytes(1))] }, /1 diff_ids for 2 layers/],
    ["another rootfs", { layers: [gz(1)], rootfsType: "disk" }, /rootfs.type is "disk"/],
    [
      "a layer whose gzip ends early",
      { layers: [{ ...gz(1), lies: gzipSync(layerBytes(1)).subarray(0, -20) }] },
      /gzip data is damaged or ends early/,
    ],
  ];
  for (const [name, recipe, expected] of faults)
    test(`finds ${name}`, async () => {
      const store = memoryStore();
      const found = await messages(store, await image(store, recipe));
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] as string, expected);
    });

  test("finds a layer whose bytes were replaced, even by the same content compressed otherwise", async () => {
    const store = memoryStore();
    const layer = gz(1);
    const root = await image(store, { layers: [layer, gz(2)] });
    const digest = digestOf(layer.lies);
    const other = new Uint8Array(layer.lies);
    other[9] = (other[9] as number) ^ 1; // The system that made it: part of the header, not of the content.
    assert.match((await messages(withWrong(store, digest, other), root))[0] as string, /content has digest/);
    assert.match((await messages(withWrong(store, digest, other.subarray(1)), root)).join(), /should have|damaged/);
  });

  test("a fast check reads no layer, and finds one that is missing", async () => {
    const store = memoryStore();
    const layer = gz(1);
    const root = await image(store, { layers: [layer], ids: [digestOf(layerBytes(9))] });
    assert.deepEqual(await messages(store, root, true), []);
    assert.deepEqual(await messages(withWrong(store, digestOf(layer.lies), undefined), root, true), [
      "is missing, or has another size",
    ]);
  });

  test("an index whose platform the configuration denies, and padding behind a gzip member", async () => {
    const store = memoryStore();
    const padded = { ...gz(1), lies: Buffer.concat([gzipSync(layerBytes(1)), new Uint8Array(100_000)]) };
    const child = await image(store, { layers: [padded] });
    const index = encodeJson({
      schemaVersion: 2,
      manifests: [{ ...child, platform: { os: "linux", architecture: "arm64" } }],
    });
    const root = await store.ingest(bytesContent(index), { mediaType: mediaTypes.ociIndex });
    const found = await messages(store, root);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] as string, /index says linux\/arm64, the configuration says linux\/amd64/);
  });

  test("content that a descriptor carries is what its digest says, wherever that stands", async () => {
    const store = memoryStore();
    const child = await image(store, { layers: [gz(1)] });
    const [right, wrong] = [encodeJson({}), encodeJson({ a: 1 })].map((bytes) => Buffer.from(bytes).toString("base64"));
    const config = await store.ingest(bytesContent(encodeJson({})), { mediaType: mediaTypes.ociEmpty });
    const put = (document: object, mediaType: string): Promise<Descriptor> =>
      store.ingest(bytesContent(encodeJson(document)), { mediaType });
    const rows: readonly [data: string | undefined, says: readonly RegExp[]][] = [
      [right, []],
      [undefined, []],
      [wrong, [/^its member data has digest sha256:\w+, and stands for other content/]],
      ["", [/^its member data has digest/]],
      [`${right}=`, [/^its member data is no base64$/]],
      ["{}", [/is no base64/]],
    ];
    for (const [data, says] of rows) {
      const named = { ...config, data };
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest };
      const places = [
        await put({ ...manifest, config: named, layers: [config] }, mediaTypes.ociManifest),
        await put({ ...manifest, config, layers: [config, named] }, mediaTypes.ociManifest),
        await put({ ...manifest, config, layers: [config], subject: named }, mediaTypes.ociManifest),
        await put({ schemaVersion: 2, manifests: [child, named] }, mediaTypes.ociIndex),
      ];
      for (const [at, root] of places.entries()) {
        const found = (await validate(store, root)).findings;
        assert.deepEqual(
          found.map(({ descriptor, message }) => [descriptor.digest, says[0]?.test(message)]),
          says.map(() => [config.digest, true]),
          `${data} in place ${at}: ${JSON.stringify(found)}`,
        );
      }
    }
    const root = { ...child, data: wrong ?? "" };
    assert.match((await messages(store, root)).join(), /^its member data has digest/);
  });
});
