import assert from "node:assert/strict";
import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { exchange } from "@dray/testkit";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { blobPath } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { filesystemDriver } from "../storage/index.ts";

const layer = seededBytes("layer", 10_000);
const digest = digestOf(layer);
const config = new TextEncoder().encode("{}");
const nothing = new Uint8Array(0);
const descriptor = (bytes: Uint8Array, size = bytes.byteLength): object => ({
  mediaType: mediaTypes.ociLayer,
  digest: digestOf(bytes),
  size,
});

interface Volume {
  registry: Registry;
  readonly notices: Notice[];
  /** The file of the layer. */
  readonly file: string;
  restart(): Promise<void>;
}

const push = async ({ registry }: Volume, bytes: Uint8Array, repository = "app"): Promise<void> => {
  const target = `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`;
  assert.equal((await exchange(registry, "POST", target, { body: bytes })).status, 201);
};

/** A registry over a folder, with an image in `app` whose manifest says this of the layer's size. */
const volume = async (said = layer.byteLength): Promise<Volume> => {
  const folder = temporaryFolder("blobs");
  const notices: Notice[] = [];
  const open = async (): Promise<Registry> =>
    createRegistry({
      driver: await filesystemDriver(folder, { durability: "relaxed" }),
      onNotice: (notice) => notices.push(notice),
    });
  const it: Volume = {
    registry: await open(),
    notices,
    file: join(folder, blobPath(digest)),
    restart: async () => {
      await it.registry.close();
      it.registry = await open();
    },
  };
  for (const bytes of [layer, config, nothing]) await push(it, bytes);
  const body = encodeJson({ schemaVersion: 2, config: descriptor(config), layers: [descriptor(layer, said)] });
  const headers = { "Content-Type": mediaTypes.ociManifest };
  assert.equal((await exchange(it.registry, "PUT", "/v2/app/manifests/latest", { headers, body })).status, 201);
  return it;
};

/** What HEAD, GET and a mount say of it. */
const statuses = async ({ registry }: Volume, name: Digest = digest): Promise<number[]> => [
  (await exchange(registry, "HEAD", `/v2/app/blobs/${name}`)).status,
  (await exchange(registry, "GET", `/v2/app/blobs/${name}`)).status,
  (await exchange(registry, "POST", `/v2/other/blobs/uploads/?mount=${name}&from=app`)).status,
];
const gone = [404, 404, 202];
const there = [200, 200, 201];

const isWhole = async (it: Volume): Promise<void> => {
  assert.deepEqual(await statuses(it), there);
  const { bytes } = await exchange(it.registry, "GET", `/v2/app/blobs/${digest}`);
  assert.equal(Buffer.compare(bytes, layer), 0);
  assert.equal(await it.registry.context.blobs.damaged(), 0);
};

const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
  empty: (file) => truncate(file, 0),
  "cut off": (file) => truncate(file, 9999),
  longer: (file) => appendFile(file, "x"),
  "another size of zeros": (file) => writeFile(file, new Uint8Array(123)),
};

describe("a blob of another size than its manifests say", () => {
  for (const [what, damage] of Object.entries(damages))
    it(`${what}: is not there, is told of once, also after a restart, until a push replaces it`, async () => {
      const it = await volume();
      await damage(it.file);
      assert.deepEqual(await statuses(it), gone);
      assert.deepEqual(await statuses(it), gone);
      await it.restart();
      assert.deepEqual(await statuses(it), gone);
      const told = it.notices.filter(({ level }) => level === "error");
      assert.equal(told.length, 1);
      assert.match(told[0]?.message ?? "", /damaged.*404 until it is pushed again/);
      assert.equal(told[0]?.digest, digest);
      await push(it, layer);
      await isWhole(it);
      await it.restart();
      await isWhole(it);
      await it.registry.close();
    });

  it("is there where its bytes are right and the manifest is wrong", async () => {
    const it = await volume(5);
    await isWhole(it);
    await it.restart();
    await isWhole(it);
    assert.deepEqual(it.notices, []);
    await it.registry.close();
  });

  it("is there again when its file was put right by hand", async () => {
    const it = await volume();
    await truncate(it.file, 10);
    assert.deepEqual(await statuses(it), gone);
    await writeFile(it.file, layer);
    await isWhole(it);
    await it.registry.close();
  });

  it("makes no image: the push names it, and goes through once it was pushed", async () => {
    const it = await volume();
    const other = seededBytes("other", 500);
    await push(it, other);
    const file = it.file.replaceAll(blobPath(digest), blobPath(digestOf(other)));
    await truncate(file, 499);
    const body = encodeJson({ schemaVersion: 2, config: descriptor(config), layers: [descriptor(other)] });
    const put = () =>
      exchange(it.registry, "PUT", "/v2/app/manifests/other", {
        headers: { "Content-Type": mediaTypes.ociManifest },
        body,
      });
    assert.equal((await put()).status, 400);
    assert.deepEqual(await statuses(it, digestOf(other)), gone);
    await push(it, other);
    assert.equal((await put()).status, 201);
    await it.registry.close();
  });
});

describe("an empty file", () => {
  it("is the empty blob and no other, whether a manifest names it or not", async () => {
    const it = await volume();
    assert.deepEqual(await statuses(it, digestOf(nothing)), there);
    const lone = seededBytes("lone", 10);
    await push(it, lone);
    await truncate(it.file.replaceAll(blobPath(digest), blobPath(digestOf(lone))), 0);
    assert.deepEqual(await statuses(it, digestOf(lone)), gone);
    await it.registry.close();
  });
});

describe("damage of the same size", () => {
  it("is replaced by whoever brings the bytes, also where nobody noticed", async () => {
    const it = await volume();
    const bytes = await readFile(it.file);
    bytes[500] = (bytes[500] ?? 0) ^ 1;
    await writeFile(it.file, bytes);
    await push(it, layer, "third");
    await isWhole(it);
    await it.registry.close();
  });
});

describe("content that was pushed just now", () => {
  it("was hashed, and its size is asked of nobody until it is another one", async () => {
    const it = await volume();
    const { metadata, blobs } = it.registry.context;
    let asked = 0;
    const sizesOf = metadata.sizesOf.bind(metadata);
    Object.assign(metadata, {
      sizesOf: (repository: string, digest: Digest) => {
        asked++;
        return sizesOf(repository, digest);
      },
    });
    await push(it, layer, "other");
    for (const repository of ["app", "other"])
      assert.deepEqual(await blobs.find(repository, digest), { target: digest, size: layer.byteLength });
    assert.equal(asked, 0);
    await truncate(it.file, 5000);
    assert.equal(await blobs.find("app", digest), undefined);
    assert.equal(asked, 1);
    await it.registry.close();
  });
});
