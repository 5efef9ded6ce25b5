import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faults, type MemoryRegistry, memoryRegistry, RequestLog, seededBytes } from "@dray/testkit";
import { clientOf } from "../../test/registry-client.ts";
import { bytesContent, type Located, type MemoryStore, memoryStore, transfersChunks } from "../content/index.ts";
import { type Descriptor, encodeJson, mediaTypes } from "../oci/index.ts";
import type { Repository } from "../registry/index.ts";
import { copy, copyAll } from "./copy.ts";

const KiB = 1024;
const at = <S>(store: S, name: string): Located<S> => ({ store, name, location: `test:${name}` });

const imageIn = async (store: MemoryStore, seed: number, sizes: readonly number[]): Promise<Descriptor> => {
  const put = (bytes: Uint8Array, mediaType: string): Promise<Descriptor> =>
    store.ingest(bytesContent(bytes), { mediaType });
  const config = await put(encodeJson({ os: "linux", seed }), mediaTypes.ociConfig);
  const layers = await Promise.all(
    sizes.map((size, i) => put(seededBytes(100 * seed + i, size), mediaTypes.ociLayerGzip)),
  );
  return put(
    encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }),
    mediaTypes.ociManifest,
  );
};

const indexIn = async (store: MemoryStore, images: readonly Descriptor[]): Promise<Descriptor> =>
  store.ingest(bytesContent(encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: images })), {
    mediaType: mediaTypes.ociIndex,
  });

/** A repository of a registry, and what it is asked, in short: `HEAD blob`, `PUT manifest`. */
const asked = (registry: MemoryRegistry = memoryRegistry()): { repository: Repository; requests: () => string[] } => {
  const log = new RequestLog();
  const client = clientOf(log.middleware(faults(registry.handler, [])));
  const requests = (): string[] => {
    const counts = new Map<string, number>();
    for (const { method, target } of log.entries)
      counts.set(short(method, target), (counts.get(short(method, target)) ?? 0) + 1);
    log.clear();
    return [...counts].map(([what, count]) => `${count} ${what}`).sort();
  };
  return { repository: client.repository("a/b"), requests };
};

const short = (method: string, target: string): string => {
  const [, kind = target] = /\/(manifests|blobs\/uploads|blobs|tags)\//.exec(target) ?? [];
  return `${method} ${kind}`;
};

/** A registry that has what a store has, under these tags. */
const sourceWith = async (
  store: MemoryStore,
  roots: Readonly<Record<string, Descriptor>>,
): Promise<ReturnType<typeof asked>> => {
  const source = asked();
  for (const [tag, root] of Object.entries(roots)) {
    await store.tag(root, tag);
    await copy(at(store, tag), at(source.repository, tag));
  }
  source.requests();
  return source;
};

describe("what is asked for a copy", () => {
  test("into a new repository: nothing but what that takes", async () => {
    const store = memoryStore();
    const source = await sourceWith(store, { v1: await imageIn(store, 1, [100 * KiB, 70 * KiB]) });
    const target = asked();
    await copy(at(source.repository, "v1"), at(target.repository, "v1"));
    assert.deepEqual(source.requests(), ["1 GET manifests", "3 GET blobs"]);
    assert.deepEqual(target.requests(), [
      "1 GET tags",
      "1 HEAD manifests",
      "1 PUT manifests",
      "2 PUT blobs/uploads",
      "3 POST blobs/uploads",
    ]);
  });

  test("an index into a new repository: its children are asked for while they are read, for the sake of a copy that was cut off", async () => {
    const store = memoryStore();
    const images = await Promise.all([1, 2].map((seed) => imageIn(store, seed, [100 * KiB])));
    const source = await sourceWith(store, { v1: await indexIn(store, images) });
    const target = asked();
    await copy(at(source.repository, "v1"), at(target.repository, "v1"));
    assert.deepEqual(source.requests(), ["3 GET manifests", "4 GET blobs"]);
    assert.deepEqual(target.requests(), [
      "1 GET tags",
      "2 PUT blobs/uploads",
      "3 HEAD manifests",
      "3 PUT manifests",
      "4 POST blobs/uploads",
    ]);
  });

  test("both ends hear how much is to come while a target is asked whether it is new", async () => {
    const store = memoryStore();
    const source = await sourceWith(store, { v1: await imageIn(store, 1, [100 * KiB, 70 * KiB]) });
    const heard: string[] = [];
    const both = Promise.withResolvers<void>();
    const hears = (who: string) => (pieces: number) => {
      if (heard.push(`${who} ${pieces}`) === 2) both.resolve();
    };
    const target: Repository = {
      ...asked().repository,
      expect: hears("target"),
      isNew: () => both.promise.then(() => true),
    };
    await copy(at({ ...source.repository, expect: hears("source") }, "v1"), at(target, "v1"));
    assert.deepEqual(heard.sort(), ["source 3", "target 3"]);
    // What is there already takes no connections.
    await copy(at({ ...source.repository, expect: hears("source") }, "v1"), at(target, "v1"));
    assert.equal(heard.length, 2);
  });

  test("many tags: whether the repository is new is asked once", async () => {
    const store = memoryStore();
    const source = await sourceWith(store, {
      v1: await imageIn(store, 1, []),
      v2: await imageIn(store, 2, []),
      v3: await imageIn(store, 3, []),
    });
    const target = asked();
    await copyAll(
      ["v1", "v2", "v3"].map((tag) => ({ source: at(source.repository, tag), target: at(target.repository, tag) })),
    );
    assert.deepEqual(source.requests(), ["3 GET blobs", "3 GET manifests"]);
    assert.deepEqual(target.requests(), ["1 GET tags", "3 HEAD manifests", "3 POST blobs/uploads", "3 PUT manifests"]);
  });

  test("into a repository that has tags: everything is asked for first", async () => {
    const store = memoryStore();
    const [one, two] = [await imageIn(store, 1, [100 * KiB]), await imageIn(store, 2, [100 * KiB])];
    const source = await sourceWith(store, { v1: one, v2: two });
    const target = asked();
    await copy(at(source.repository, "v1"), at(target.repository, "v1"));
    target.requests();
    await copy(at(source.repository, "v2"), at(target.repository, "v2"));
    assert.deepEqual(target.requests(), [
      "1 GET tags",
      "1 PUT blobs/uploads",
      "1 PUT manifests",
      "2 HEAD blobs",
      "2 HEAD manifests",
      "2 POST blobs/uploads",
    ]);
  });

  test("of what the target's name stands for already: one request at each end", async () => {
    const store = memoryStore();
    const source = await sourceWith(store, { v1: await imageIn(store, 1, [100 * KiB]) });
    const target = asked();
    await copy(at(source.repository, "v1"), at(target.repository, "v1"));
    source.requests();
    target.requests();
    await copy(at(source.repository, "v1"), at(target.repository, "v1"));
    assert.deepEqual(source.requests(), ["1 GET manifests"]);
    assert.deepEqual(target.requests(), ["1 HEAD manifests"]);
  });

  test("after one that was cut off: large blobs that arrived are not sent again", async () => {
    const store = memoryStore();
    const image = await imageIn(store, 1, [2048 * KiB, 1024 * KiB, 100 * KiB]);
    const source = await sourceWith(store, { v1: image });
    const target = asked();
    // What a copy leaves that ends before its manifest.
    const large = (await layersOf(store, image)).filter(({ size }) => size >= 1024 * KiB);
    for (const layer of large)
      await target.repository.write(layer, { size: layer.size, open: () => store.read(layer) });
    target.requests();
    const { copied, skipped } = await copy(at(source.repository, "v1"), at(target.repository, "v1"));
    assert.deepEqual([copied, skipped], [3, 2]);
    assert.deepEqual(source.requests(), ["1 GET manifests", "2 GET blobs"]);
  });
});

const layersOf = async (store: MemoryStore, image: Descriptor): Promise<readonly Descriptor[]> => {
  const parts: Uint8Array[] = [];
  for await (const chunk of store.read(image)) parts.push(chunk);
  return (JSON.parse(Buffer.concat(parts).toString()) as { layers: Descriptor[] }).layers;
};

test("a blob is on its way before there is a place for it, unless an unfinished upload may go on in its midst", async () => {
  for (const [size, ahead] of [
    [7, true],
    [8, false],
  ] as const) {
    const store = memoryStore();
    const source = await sourceWith(store, { v1: await imageIn(store, 1, [size * 1024 * KiB]) });
    const registry = memoryRegistry();
    const order: string[] = [];
    const read = transfersChunks<Repository["read"]>((descriptor, options) => {
      order.push(`read ${descriptor.size > KiB ? "layer" : "rest"}`);
      return source.repository.read(descriptor, options);
    });
    const target = clientOf(async (request) => {
      if (request.method !== "HEAD" && request.target.includes("/uploads/")) {
        // Whatever is read ahead is asked for by then.
        await new Promise((resolve) => setImmediate(resolve));
        order.push(request.target.includes("mount=") ? "place" : request.method);
      }
      return registry.handler(request);
    }).repository("a/b");
    await copy(at({ ...source.repository, read }, "v1"), at(target, "v1"));
    assert.equal(order.indexOf("read layer") < order.indexOf("place"), ahead, `${size} MiB`);
  }
});

test("Docker Hub counts who reads a manifest: it is asked what a tag stands for first", async () => {
  const store = memoryStore();
  await store.tag(await imageIn(store, 1, []), "v1");
  const registry = memoryRegistry();
  await copy(at(store, "v1"), at(asked(registry).repository, "v1"));
  const log = new RequestLog();
  const hub = clientOf(log.middleware(registry.handler), {}, "docker.io").repository("a/b");
  const target = memoryStore();
  await copy(at(hub, "v1"), at(target, "v1"));
  const manifests = (): string[] => log.select({ target: "/manifests/" }).map(({ method }) => method);
  assert.deepEqual(manifests(), ["HEAD", "GET"]);
  log.clear();
  await copy(at(hub, "v1"), at(target, "v1"));
  assert.deepEqual(manifests(), ["HEAD"]);
});
