/** What public reports tell of registries, of volumes that others wrote and clients that others wrote, and what is right for each. */
import assert from "node:assert/strict";
import { mkdir, open, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { exchange } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import type { HttpResponse } from "dray/http";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { blobPath, layerFolder, tagFolder } from "../../src/distribution-tree/index.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { filesystemDriver, memoryDriver } from "../../src/storage/index.ts";

let root: string;
before(() => {
  root = temporaryFolder("reports");
});

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const pushBlob = async (registry: Registry, words: string): Promise<{ digest: Digest; size: number }> => {
  const body = text(words);
  const digest = digestOf(body);
  assert.equal((await exchange(registry, "POST", `/v2/app/blobs/uploads/?digest=${digest}`, { body })).status, 201);
  return { digest, size: body.byteLength };
};
const put = async (registry: Registry, name: string, body: Uint8Array, type: string): Promise<number> =>
  (await exchange(registry, "PUT", `/v2/app/manifests/${name}`, { body, headers: { "Content-Type": type } })).status;
const status = async (registry: Registry, method: string, target: string): Promise<number> =>
  (await exchange(registry, method, `/v2/app/${target}`)).status;

const withRegistry = async (
  options: { readonly completeIndexes?: "all" },
  use: (registry: Registry) => Promise<void>,
): Promise<void> => {
  const registry = createRegistry({ driver: memoryDriver(), gc: { grace: 0, lease: 0 }, ...options });
  await use(registry);
  await registry.close();
};

test("a layer's digest is no manifest: it is not there as one, and deleting it as one leaves the layer", () =>
  withRegistry({}, async (registry) => {
    const { digest } = await pushBlob(registry, "layer");
    for (const method of ["GET", "HEAD", "DELETE"])
      assert.equal(await status(registry, method, `manifests/${digest}`), 404, method);
    assert.equal(await status(registry, "GET", `blobs/${digest}`), 200);
  }));

test("an index of blobs, as BuildKit writes its caches, is taken also where indexes have to be whole, and holds them", async () => {
  for (const options of [{}, { completeIndexes: "all" }] as const)
    await withRegistry(options, async (registry) => {
      const cache = [await pushBlob(registry, "one"), await pushBlob(registry, "two")];
      const config = await pushBlob(registry, "{}");
      const manifests = [
        ...cache.map((each) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...each })),
        { mediaType: "application/vnd.buildkit.cacheconfig.v0", ...config },
      ];
      const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
      assert.equal(await put(registry, "cache", body, mediaTypes.ociIndex), 201);
      await registry.collect({ lease: 0 });
      for (const { digest } of [...cache, config]) assert.equal(await status(registry, "GET", `blobs/${digest}`), 200);
    });
});

test("a list whose entries have other sizes than their manifests, as docker manifest writes it, is taken and served", () =>
  withRegistry({}, async (registry) => {
    const child = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
    assert.equal(await put(registry, digestOf(child), child, mediaTypes.ociIndex), 201);
    const manifests = [{ mediaType: mediaTypes.ociIndex, digest: digestOf(child), size: child.byteLength + 7 }];
    const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.dockerList, manifests });
    assert.equal(await put(registry, "list", body, mediaTypes.dockerList), 201);
    assert.equal(await status(registry, "GET", "manifests/list"), 200);
    assert.equal(await status(registry, "GET", `manifests/${digestOf(child)}`), 200);
  }));

test("what lies among tags and is none is not listed; a tag whose manifest is gone is, and can be deleted", async () => {
  const data = join(root, "tags");
  const driver = await filesystemDriver(data);
  const registry = createRegistry({ driver, recheckAfter: 0 });
  const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  assert.equal(await put(registry, "v1", body, mediaTypes.ociIndex), 201);
  const write = async (path: string, words: string): Promise<void> => {
    await mkdir(dirname(join(data, path)), { recursive: true });
    await writeFile(join(data, path), words);
  };
  for (const name of [".nfs0000000000000001", "@eaDir", ".DS_Store", "Thumbs.db"])
    await write(tagFolder("app", name), "");
  await mkdir(join(data, tagFolder("app", "empty")));
  await write(`${tagFolder("app", "gone")}/current/link`, `sha256:${"0".repeat(64)}`);
  const tags = async (): Promise<unknown> =>
    ((await exchange(registry, "GET", "/v2/app/tags/list")).json() as { tags: string[] }).tags;
  assert.deepEqual(await tags(), ["gone", "v1"]);
  assert.equal(await status(registry, "GET", "manifests/gone"), 404);
  assert.equal(await status(registry, "DELETE", "manifests/gone"), 202);
  assert.deepEqual(await tags(), ["v1"]);
  await registry.close();
  await driver.close?.();
});

test("a layer of more than 4 GiB is told with its size, and parts behind that come as they are", async () => {
  const data = join(root, "large");
  const driver = await filesystemDriver(data);
  const registry = createRegistry({ driver });
  const [size, digest] = [5 * 2 ** 30, `sha256:${"5".repeat(64)}` as Digest];
  for (const folder of [dirname(blobPath(digest)), layerFolder("app", digest)])
    await mkdir(join(data, folder), { recursive: true });
  await mkdir(join(data, "docker/registry/v2/repositories/app/_manifests"), { recursive: true });
  await writeFile(join(data, layerFolder("app", digest), "link"), digest);
  // A file of holes: it takes nothing of the disk.
  const file = await open(join(data, blobPath(digest)), "w");
  await file.truncate(size);
  await file.write("the end", size - 7);
  await file.close();
  const head = await exchange(registry, "HEAD", `/v2/app/blobs/${digest}`);
  assert.deepEqual([head.status, head.header("Content-Length")], [200, String(size)]);
  for (const range of [`bytes=${size - 7}-`, "bytes=-7"]) {
    const part = await exchange(registry, "GET", `/v2/app/blobs/${digest}`, { headers: { Range: range } });
    assert.deepEqual(
      [part.status, part.header("Content-Range"), Buffer.from(part.bytes).toString()],
      [206, `bytes ${size - 7}-${size - 1}/${size}`, "the end"],
    );
  }
  await registry.close();
  await driver.close?.();
});

test("a chunk that is longer than its range says is refused, and nothing of it is kept", () =>
  withRegistry({}, async (registry) => {
    const begun = await exchange(registry, "POST", "/v2/app/blobs/uploads/");
    const target = begun.header("Location") ?? assert.fail();
    const patch = (words: string): Promise<HttpResponse> =>
      registry({
        method: "PATCH",
        origin: "http://registry",
        target,
        headers: [["Content-Range", "0-9"]],
        // Without a length, as a client sends it that makes the bytes on the way.
        body: {
          length: undefined,
          chunks: (async function* () {
            yield text(words);
          })(),
          discard: async () => {},
        },
      });
    assert.equal((await patch("thirteen more")).status, 400);
    assert.equal((await exchange(registry, "GET", target)).header("Range"), "0-0");
    assert.equal((await patch("ten bytes.")).status, 202);
    const digest = digestOf(text("ten bytes."));
    assert.equal((await exchange(registry, "PUT", `${target}?digest=${digest}`)).status, 201);
    assert.equal(
      Buffer.from((await exchange(registry, "GET", `/v2/app/blobs/${digest}`)).bytes).toString(),
      "ten bytes.",
    );
  }));
