import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { faults, memoryRegistry, put as putSample, rewrite, sampleImage, sampleIndex } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { clientOf } from "../../test/registry-client.ts";
import {
  bytesContent,
  collect,
  type Located,
  loadManifest,
  type MemoryStore,
  memoryStore,
  overlay,
  type ProgressEvent,
  type WritableStore,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { layoutStore, ociArchive } from "../layout/index.ts";
import {
  annotationKeys,
  childrenOf,
  type Descriptor,
  digestOf,
  encodeJson,
  formatPlatform,
  mediaTypes,
  type Parsed,
  type Platform,
  parseManifest,
} from "../oci/index.ts";
import { copy, copyAll } from "./copy.ts";

const at = <S>(store: S, name: string): Located<S> => ({ store, name, location: `memory:${name}` });
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const put = async (store: MemoryStore, bytes: Uint8Array, mediaType: string): Promise<Descriptor> =>
  store.ingest(bytesContent(bytes), { mediaType });

const putImage = async (store: MemoryStore, layers: string[], extra: object = {}): Promise<Descriptor> => {
  const config = await put(store, encodeJson({ os: "linux", layers }), mediaTypes.ociConfig);
  const below = await Promise.all(layers.map((layer) => put(store, text(layer), mediaTypes.ociLayerGzip)));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: below, ...extra };
  return put(store, encodeJson(manifest), mediaTypes.ociManifest);
};

const putIndex = async (store: MemoryStore, entries: object[], extra: object = {}): Promise<Descriptor> =>
  put(
    store,
    encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries, ...extra }),
    mediaTypes.ociIndex,
  );

/** Records what is asked of a store, in order. */
const recorded = (store: MemoryStore): { store: MemoryStore; writes: string[]; most: () => number } => {
  const writes: string[] = [];
  let now = 0;
  let most = 0;
  const write: WritableStore["write"] = async (descriptor, content, options) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    await store.write(descriptor, content, options);
    writes.push(descriptor.digest);
    now--;
  };
  return { store: Object.assign(Object.create(store), bound(store), { write }), writes, most: () => most };
};

/** Private members are only reached on the object itself. */
const bound = (store: MemoryStore): MemoryStore => ({
  checksDigests: true,
  resolve: store.resolve.bind(store),
  read: store.read.bind(store),
  has: store.has.bind(store),
  write: store.write.bind(store),
  ingest: store.ingest.bind(store),
  tag: store.tag.bind(store),
  tags: store.tags.bind(store),
  referrers: store.referrers.bind(store),
  remove: store.remove.bind(store),
  close: store.close.bind(store),
});

const linux = (architecture: string, variant?: string): Platform => ({
  os: "linux",
  architecture,
  ...(variant && { variant }),
});

describe("copy", () => {
  test("moves each blob once, children before parents, and names the root", async () => {
    const source = memoryStore();
    const a = await putImage(source, ["one", "two", "two"]);
    const b = await putImage(source, ["two", "three"]);
    const index = await putIndex(source, [
      { ...a, platform: linux("amd64") },
      { ...b, platform: linux("arm64") },
    ]);
    await source.tag(index, "v1");
    const target = recorded(memoryStore());
    const result = await copy(at(source, "v1"), at(target.store, "v2"));
    assert.equal(result.root.digest, index.digest);
    assert.equal(new Set(target.writes).size, target.writes.length);
    assert.deepEqual([result.copied, result.mounted, result.skipped], [8, 0, 0]);
    assert.equal((await target.store.resolve("v2")).digest, index.digest);
    const position = (digest: string): number => target.writes.indexOf(digest);
    for (const manifest of [a, b]) {
      assert.ok(position(manifest.digest) < position(index.digest));
      const { parsed } = await loadManifest(source, manifest);
      assert.equal(parsed.kind, "manifest");
      if (parsed.kind === "manifest")
        for (const layer of parsed.manifest.layers) assert.ok(position(layer.digest) < position(manifest.digest));
    }
  });

  test("asks both ends for their names at the same time", async () => {
    const [source, target] = [memoryStore(), memoryStore()];
    await source.tag(await putImage(source, ["one"]), "v1");
    const bothAsked = new Map<string, () => void>();
    const together = Promise.all(
      ["source", "target"].map((end) => new Promise<void>((ask) => bothAsked.set(end, ask))),
    );
    /** Answers when the other end has been asked, too. */
    const waiting = (store: MemoryStore, end: string): MemoryStore => ({
      ...bound(store),
      resolve: async (name, options) => {
        bothAsked.get(end)?.();
        await together;
        return store.resolve(name, options);
      },
    });
    const { copied } = await copy(at(waiting(source, "source"), "v1"), at(waiting(target, "target"), "v1"));
    assert.equal(copied, 3);
  });

  test("tells the target what each piece is, and of manifests what they say", async () => {
    const source = memoryStore();
    const image = await putImage(source, ["one"]);
    await source.tag(await putIndex(source, [{ ...image, platform: linux("amd64") }]), "v1");
    const inner = memoryStore();
    const told: (string | undefined)[] = [];
    const target: MemoryStore = {
      ...bound(inner),
      write: async (descriptor, content, options) => {
        told.push(`${options?.kind} ${options?.parsed?.kind}`);
        await inner.write(descriptor, content, options);
      },
    };
    await copy(at(source, "v1"), at(target, "v1"));
    assert.deepEqual(told, ["blob undefined", "blob undefined", "manifest manifest", "manifest index"]);
  });

  test("skips what is there, and does nothing when the name stands for the content already", async () => {
    const source = memoryStore();
    const image = await putImage(source, ["one", "two"]);
    await source.tag(image, "v1");
    const target = memoryStore();
    await target.write(await put(memoryStore(), text("one"), mediaTypes.ociLayerGzip), bytesContent(text("one")));
    const first = await copy(at(source, "v1"), at(target, "v1"));
    assert.deepEqual([first.copied, first.skipped], [3, 1]);
    const second = await copy(at(source, "v1"), at(target, "v1"));
    assert.deepEqual([second.copied, second.skipped, second.bytes], [0, 1, 0]);
    const renamed = await copy(at(source, "v1"), at(target, "v2"));
    assert.deepEqual([renamed.copied, renamed.skipped], [0, 1]);
    assert.equal((await target.resolve("v2")).digest, image.digest);
  });

  test("never has more bodies in flight than jobs", async () => {
    const source = memoryStore();
    await source.tag(
      await putImage(
        source,
        Array.from({ length: 20 }, (_, i) => `layer ${i}`),
      ),
      "v1",
    );
    const target = recorded(memoryStore());
    await copy(at(source, "v1"), at(target.store, "v1"), { jobs: 3 });
    assert.equal(target.most(), 3);
  });

  test("a dry run writes nothing and counts what would move", async () => {
    const source = memoryStore();
    await source.tag(await putImage(source, ["one", "two"]), "v1");
    const target = recorded(memoryStore());
    const result = await copy(at(source, "v1"), at(target.store, "v1"), { dryRun: true });
    assert.equal(result.copied, 4);
    assert.deepEqual(target.writes, []);
    await assert.rejects(target.store.resolve("v1"));
  });

  test("a digest that is wrong fails the copy and names nothing", async () => {
    const source = memoryStore();
    await source.tag(await putImage(source, ["one"]), "v1");
    const lying = {
      ...bound(source),
      read: async function* (descriptor: Descriptor) {
        const bytes = await collect(source.read(descriptor), 1e6, "");
        yield descriptor.digest === digestOf(text("one")) ? text("oNe") : bytes;
      },
    };
    const target = memoryStore();
    await assert.rejects(copy(at(lying, "v1"), at(target, "v1")), (error) => isDrayError(error, "DIGEST_MISMATCH"));
    await assert.rejects(target.resolve("v1"));
  });

  test("a signal cancels, and the target is closed with abort", async () => {
    const source = memoryStore();
    await source.tag(await putImage(source, ["one"]), "v1");
    const controller = new AbortController();
    let closed: boolean | undefined;
    const inner = memoryStore();
    const target = {
      ...bound(inner),
      has: async () => (controller.abort(), false),
      close: async ({ abort }: { abort?: boolean } = {}) => void (closed = abort),
    };
    await assert.rejects(copy(at(source, "v1"), at(target, "v1"), { signal: controller.signal }), (error) =>
      isDrayError(error, "ABORTED"),
    );
    assert.equal(closed, true);
  });

  test("bytes of events add up to the size, and a second opening does not count again", async () => {
    const source = memoryStore();
    const big = new Uint8Array(900_000).fill(7);
    const layer = await put(source, big, mediaTypes.ociLayerGzip);
    const config = await put(source, text("{}"), mediaTypes.ociConfig);
    const manifest = { schemaVersion: 2, config, layers: [layer] };
    await source.tag(await put(source, encodeJson(manifest), mediaTypes.ociManifest), "v1");
    const inner = memoryStore();
    const target: MemoryStore = {
      ...bound(inner),
      write: async (descriptor, content, options) => {
        for await (const _ of content.open()) break;
        await collect(content.open(), 1e7, "");
        await inner.write(descriptor, content, options);
      },
    };
    const events: ProgressEvent[] = [];
    await copy(at(source, "v1"), at(target, "v1"), { onEvent: (event) => events.push(event) });
    let moved = 0;
    for (const event of events)
      if (event.type === "bytes" && event.descriptor.digest === layer.digest) moved += event.bytes;
    assert.equal(moved, big.byteLength);
    assert.deepEqual(
      events.find((event) => event.type === "plan"),
      { type: "plan", blobs: 2, bytes: big.byteLength + 2 },
    );
  });
});

test("a layer that may not be passed on is left out only where it says where else it lies", async () => {
  const source = memoryStore();
  const layer = await put(source, text("foreign"), mediaTypes.dockerForeignLayer);
  const config = await put(source, text("{}"), mediaTypes.ociConfig);
  for (const [urls, moved] of [
    [undefined, true],
    [[], true],
    [["https://there.example/x"], false],
  ] as const) {
    const manifest = { schemaVersion: 2, config, layers: [{ ...layer, ...(urls && { urls }) }] };
    await source.tag(await put(source, encodeJson(manifest), mediaTypes.ociManifest), "v1");
    const target = memoryStore();
    await copy(at(source, "v1"), at(target, "v1"));
    assert.equal(await target.has(layer, { kind: "blob" }), moved);
  }
});

test("what the source has of layers that lie elsewhere is taken along where that is wanted, and what is left out is counted once", async () => {
  const source = memoryStore();
  const urls = ["https://there.example/x"];
  const there = { ...(await put(source, text("there"), mediaTypes.dockerForeignLayer)), urls };
  const gone = { ...there, digest: digestOf(text("elsewhere")) };
  const config = await put(source, text("{}"), mediaTypes.ociConfig);
  for (const name of ["v1", "v2"]) {
    const manifest = { schemaVersion: 2, config, layers: [there, gone], annotations: { name } };
    await source.tag(await put(source, encodeJson(manifest), mediaTypes.ociManifest), name);
  }
  const pairsTo = (target: MemoryStore) =>
    ["v1", "v2"].map((name) => ({ source: at(source, name), target: at(target, name) }));
  for (const [foreignLayers, leftOut, taken] of [
    [undefined, 2, false],
    [false, 2, false],
    ["if-there", 1, true],
  ] as const) {
    const target = memoryStore();
    const counts = await copyAll(pairsTo(target), defined({ foreignLayers }));
    assert.deepEqual([counts.outcomes.map(({ error }) => error), counts.leftOut], [[undefined, undefined], leftOut]);
    assert.equal(await target.has(there, { kind: "blob" }), taken);
    const archive = ociArchive(join(temporaryFolder("left"), "x.tar"));
    const outcome = await copyAll(
      [{ source: at(source, "v1"), target: at(archive, "v1") }],
      defined({ foreignLayers }),
    );
    assert.deepEqual([outcome.outcomes[0]?.error, outcome.leftOut], [undefined, leftOut]);
  }
  const all = await copyAll(pairsTo(memoryStore()), { foreignLayers: true });
  assert.ok(all.outcomes.every(({ error }) => isDrayError(error, "NOT_FOUND")));
});

test("a HEAD that names another size is a hint: what is copied has the size that was read", async () => {
  const registry = memoryRegistry();
  const sample = sampleIndex({ seed: "hint", platforms: ["linux/amd64"] });
  putSample(registry, "a/b", "v1", sample);
  const lying = faults(registry.handler, [
    { method: "HEAD", target: "/manifests/", effect: rewrite({ "Content-Length": "7" }) },
  ]);
  const source = clientOf(lying).repository("a/b");
  const folder = temporaryFolder("hint");
  const kept = memoryStore();
  for (const target of [() => kept, () => layoutStore(`${folder}/layout`), () => ociArchive(`${folder}/x.tar`)]) {
    const { root } = await copy(at(source, "v1"), at(target(), "v1"));
    assert.deepEqual(root, sample.root);
    const found = await target().resolve("v1");
    assert.deepEqual([found.digest, found.size], [sample.root.digest, sample.root.size]);
  }
});

test("an index that names a child with a wrong size is told of as that", async () => {
  const registry = memoryRegistry();
  const sample = sampleImage({ seed: "child" });
  putSample(registry, "a/b", "child", sample);
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ ...sample.root, size: sample.root.size + 1 }],
  });
  registry.addManifest("a/b", { mediaType: mediaTypes.ociIndex, bytes }, "v1");
  await assert.rejects(
    copy(at(clientOf(registry.handler).repository("a/b"), "v1"), at(memoryStore(), "v1")),
    (error) => {
      assert.ok(isDrayError(error, "SIZE_MISMATCH"));
      assert.match(error.message, /is whole and has \d+ bytes; the index that names it says \d+, which is wrong/);
      return true;
    },
  );
});

describe("platforms", () => {
  const fixture = async (): Promise<{ source: MemoryStore; index: Descriptor; children: Descriptor[] }> => {
    const source = memoryStore();
    const children = [];
    for (const arch of ["amd64", "arm64", "s390x"]) children.push(await putImage(source, [arch]));
    const attestation = await putImage(source, ["att"]);
    const entries = [
      { ...children[0], platform: linux("amd64") },
      { ...children[1], platform: linux("arm64", "v8"), "x-unknown": 1 },
      { ...children[2], platform: linux("s390x") },
      {
        ...attestation,
        platform: { os: "unknown", architecture: "unknown" },
        annotations: {
          [annotationKeys.attestationDigest]: children[1]?.digest,
          [annotationKeys.attestationType]: "attestation-manifest",
        },
      },
    ];
    const index = await putIndex(source, entries, { "x-member": true });
    await source.tag(index, "v1");
    return { source, index, children };
  };

  test("a manifest that was read to choose is not read again to be moved", async () => {
    const { source, index } = await fixture();
    const reads: string[] = [];
    const counting: MemoryStore = {
      ...bound(source),
      read: (descriptor, options) => (reads.push(descriptor.digest), source.read(descriptor, options)),
    };
    const all = ["linux/amd64", "linux/arm64", "linux/s390x"];
    for (const platforms of [all, all.slice(0, 1), all.slice(1)]) {
      reads.length = 0;
      const { root } = await copy(at(counting, "v1"), at(memoryStore(), "v1"), { platforms });
      assert.equal(root.digest === index.digest, platforms === all);
      assert.equal(new Set(reads).size, reads.length);
    }
  });

  test("one platform copies the child itself", async () => {
    const { source, children } = await fixture();
    const target = memoryStore();
    const { root } = await copy(at(source, "v1"), at(target, "v1"), { platforms: ["linux/arm64"] });
    assert.equal(root.digest, children[1]?.digest);
  });

  test("several make a trimmed index that says where it is from, the same every time", async () => {
    const { source, index, children } = await fixture();
    const events: ProgressEvent[] = [];
    const roots = [];
    for (let i = 0; i < 2; i++) {
      const target = memoryStore();
      const { root } = await copy(at(source, "v1"), at(target, "v1"), {
        platforms: ["linux/arm64", "linux/amd64"],
        onEvent: (event) => events.push(event),
      });
      roots.push(root.digest);
      const { parsed } = await loadManifest(target, root);
      assert.equal(parsed.kind, "index");
      if (parsed.kind !== "index") continue;
      assert.deepEqual(
        parsed.index.manifests.map(({ platform }) => formatPlatform(platform as Platform)),
        ["linux/amd64", "linux/arm64/v8", "unknown/unknown"],
      );
      assert.equal((parsed.index.manifests[1] as Parsed<Descriptor>)["x-unknown"], 1);
      assert.equal(parsed.index["x-member"], true);
      assert.equal(parsed.index.annotations?.[annotationKeys.sourceDigest], index.digest);
      assert.equal(await target.has({ ...(children[2] as Descriptor) }), false);
    }
    assert.equal(roots[0], roots[1]);
    assert.ok(events.some((event) => event.type === "warning" && event.message.includes(index.digest)));
  });

  test("several are mounted within a registry as one is, though their index is new", async () => {
    const registry = memoryRegistry();
    const index = sampleIndex({ seed: "mounts", platforms: ["linux/amd64", "linux/arm64", "windows/amd64"] });
    putSample(registry, "from/here", "v1", index);
    const client = clientOf(registry.handler);
    const platforms = ["linux/amd64", "linux/arm64"];
    const result = await copy(at(client.repository("from/here"), "v1"), at(client.repository("to/there"), "v1"), {
      platforms,
    });
    const { parsed } = await loadManifest(client.repository("to/there"), result.root);
    assert.equal(parsed.kind === "index" && parsed.index.manifests.length, 2);
    const blobs = new Set<string>();
    for (const { root } of index.images.slice(0, 2)) {
      const image = await loadManifest(client.repository("to/there"), root);
      for (const { digest } of childrenOf(image.parsed)) blobs.add(digest);
    }
    assert.deepEqual([result.mounted, result.copied], [blobs.size, 3]);
  });

  test("what lies over a store asks that one for sizes that a schema 1 image does not say", async () => {
    const source = memoryStore();
    const layer = await put(source, text("layer"), mediaTypes.ociLayerGzip);
    const manifest = { schemaVersion: 1, name: "a", tag: "v1", fsLayers: [{ blobSum: layer.digest }] };
    await source.tag(await put(source, encodeJson(manifest), mediaTypes.dockerSchema1), "v1");
    const over = overlay(Object.assign(source, { describe: async () => layer }));
    const { copied } = await copy(at(over, "v1"), at(memoryStore(), "v1"));
    assert.equal(copied, 2);
  });

  test("a platform that is not there is named, with those that are", async () => {
    const { source } = await fixture();
    await assert.rejects(copy(at(source, "v1"), at(memoryStore(), "v1"), { platforms: ["linux/riscv64"] }), (error) => {
      assert.ok(error instanceof DrayError);
      assert.equal(error.code, "NOT_FOUND");
      assert.match(error.message, /riscv64.*linux\/amd64, linux\/arm64\/v8, linux\/s390x/);
      return true;
    });
  });
});

test("a source that has nothing to copy is told of at once, and a target that does not answer is asked no more", async () => {
  const target = memoryStore();
  const asked = Promise.withResolvers<AbortSignal>();
  const resolve: MemoryStore["resolve"] = (_name, { signal } = {}) =>
    new Promise((_, reject) => {
      asked.resolve(signal as AbortSignal);
      signal?.addEventListener("abort", () => reject(new DrayError("ABORTED", "interrupted")));
    });
  const silent = Object.assign(target, { resolve, lookUp: resolve });
  await assert.rejects(copy(at(memoryStore(), "nothing"), at(silent, "v1")), (error) =>
    isDrayError(error, "NOT_FOUND"),
  );
  assert.equal((await asked.promise).aborted, true);
});

describe("what composes its manifests", () => {
  const plainType = mediaTypes.dockerLayer;
  const composing = async (...images: readonly string[][]): Promise<MemoryStore> => {
    const source = Object.assign(memoryStore(), { composesManifests: true });
    for (const [i, layers] of images.entries()) {
      const config = await put(source, encodeJson({ os: "linux", i }), mediaTypes.dockerConfig);
      const below = await Promise.all(layers.map((layer) => put(source, text(layer.repeat(1000)), plainType)));
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers: below };
      await source.tag(await put(source, encodeJson(manifest), mediaTypes.dockerManifest), `v${i}`);
    }
    return source;
  };
  const layersOf = async (store: MemoryStore, root: Descriptor): Promise<readonly Descriptor[]> => {
    const { parsed } = await loadManifest(store, root);
    return parsed.kind === "manifest" ? parsed.manifest.layers : [];
  };

  test("a layer that fails ends those that are compressed beside it, and is what the copy fails with", async () => {
    const source = await composing(["slow", "broken"]);
    const [slow, broken] = await layersOf(source, await source.resolve("v0"));
    const ended: unknown[] = [];
    const read: MemoryStore["read"] = async function* (descriptor, options) {
      if (descriptor.digest === broken?.digest) throw new DrayError("DISK", "the layer cannot be read");
      const { signal } = options ?? {};
      if (descriptor.digest === slow?.digest)
        await new Promise<void>((_, reject) => {
          signal?.addEventListener("abort", () => {
            ended.push(signal.reason);
            reject(new DrayError("ABORTED", "interrupted"));
          });
        });
      yield* memory(descriptor, options);
    };
    const memory = source.read.bind(source);
    const copied = copy(at(Object.assign(source, { read }), "v0"), at(memoryStore(), "v0"));
    await assert.rejects(copied, (error) => isDrayError(error, "DISK"));
    assert.equal(ended.length, 1);
  });

  test("is compressed on the way to what ingests, counted and told of once", async () => {
    const source = await composing(["one", "two", "two"]);
    const before = await source.resolve("v0");
    const target = memoryStore();
    const events: ProgressEvent[] = [];
    const first = await copy(at(source, "v0"), at(target, "v0"), { onEvent: (event) => events.push(event) });
    assert.notEqual(first.root.digest, before.digest);
    const layers = await layersOf(target, first.root);
    assert.deepEqual(
      layers.map(({ mediaType }) => mediaType),
      Array.from({ length: 3 }, () => mediaTypes.dockerLayerGzip),
    );
    const config = (await loadManifest(source, before)).parsed;
    const configSize = config.kind === "manifest" ? config.manifest.config.size : 0;
    const moved = [layers[0], layers[1], first.root].reduce((sum, found) => sum + (found?.size ?? 0), configSize);
    assert.deepEqual(
      { ...first, root: 0 },
      { root: 0, copied: 4, mounted: 0, skipped: 0, leftOut: 0, bytes: moved, resumed: 0 },
    );
    let [planned, done] = [0, 0];
    for (const event of events) {
      if (event.type === "plan") planned += event.bytes;
      if (event.type === "bytes") done += event.bytes;
    }
    assert.deepEqual([planned, done], [6000 + configSize, 6000 + configSize]);
    const count = (type: ProgressEvent["type"]): number => events.filter((event) => event.type === type).length;
    assert.deepEqual([count("done"), count("skipped")], [3, 0]);
    const second = await copy(at(source, "v0"), at(target, "v0"));
    assert.deepEqual([second.root, second.copied, second.skipped], [first.root, 2, 1]);
  });

  test("is compressed when something is laid over it, too", async () => {
    const source = await composing(["one"]);
    const over = overlay(source);
    const target = memoryStore();
    const { root } = await copy(at(over, "v0"), at(target, "v0"));
    assert.equal((await layersOf(target, root))[0]?.mediaType, mediaTypes.dockerLayerGzip);
  });

  test("each layer is compressed once for a target, however many images hold it", async () => {
    const source = await composing(["one", "shared"], ["shared", "two"]);
    const inner = memoryStore();
    const keys: unknown[] = [];
    const target: MemoryStore = {
      ...bound(inner),
      ingest: async (content, options) => (keys.push(options.key), inner.ingest(content, options)),
    };
    const pairs = ["v0", "v1"].map((name) => ({ source: at(source, name), target: at(target, name) }));
    const { outcomes, copied } = await copyAll(pairs);
    assert.deepEqual([outcomes.map(({ error }) => error), copied], [[undefined, undefined], 7]);
    assert.deepEqual([keys.length, new Set(keys).size], [3, 3]);
  });

  test("stays as it is where that is asked for, in a dry run, and towards what must know digests before", async () => {
    const source = await composing(["one"]);
    const { digest } = await source.resolve("v0");
    const plain = { ...bound(memoryStore()), ingest: undefined };
    for (const [target, options] of [
      [memoryStore(), { layers: "as-is" }],
      [memoryStore(), { dryRun: true }],
      [plain, {}],
    ] as const)
      assert.equal((await copy(at(source, "v0"), at(target, "v0"), options)).root.digest, digest);
  });

  test("layers that are left out are not compressed either", async () => {
    const source = await composing(["one", "left out"]);
    const target = memoryStore();
    const without = digestOf(text("left out".repeat(1000)));
    const { root } = await copy(at(source, "v0"), at(target, "v0"), { skip: ({ digest }) => digest === without });
    const layers = await layersOf(target, root);
    assert.deepEqual(
      layers.map(({ mediaType }) => mediaType),
      [mediaTypes.dockerLayerGzip, plainType],
    );
    assert.deepEqual(await Promise.all(layers.map((layer) => target.has(layer))), [true, false]);
  });

  test("what has manifests of its own is not changed", async () => {
    const source = await composing(["one"]);
    const between = memoryStore();
    await copy(at(source, "v0"), at(between, "v0"), { layers: "as-is" });
    const { root } = await copy(at(between, "v0"), at(memoryStore(), "v0"));
    assert.equal(root.digest, (await source.resolve("v0")).digest);
  });
});

describe("referrers", () => {
  test("come with the image: nested, of children, by tag, and those that contain their subject", async () => {
    const source = memoryStore();
    const child = await putImage(source, ["one"]);
    const index = await putIndex(source, [{ ...child, platform: linux("amd64") }]);
    const sbom = await putImage(source, ["sbom"], { subject: child, artifactType: "application/sbom" });
    const signature = await putImage(source, ["signature"], { subject: sbom });
    const bundle = await putIndex(source, [child], { subject: index });
    const tagged = await putImage(source, ["cosign"]);
    const signatureTag = `${index.digest.replace(":", "-")}.sig`;
    await source.tag(index, "v1");
    await source.tag(tagged, signatureTag);
    const target = memoryStore();
    await copy(at(source, "v1"), at(target, "v1"));
    assert.equal(await target.has(sbom), false);
    await copy(at(source, "v1"), at(target, "v1"), { referrers: true });
    for (const expected of [sbom, signature, bundle, tagged]) assert.equal(await target.has(expected), true);
    assert.equal((await target.resolve(signatureTag)).digest, tagged.digest);
  });
});

describe("a referrer that cannot be taken along", () => {
  test("keeps neither the others nor the name of the image, and is told", async () => {
    const source = memoryStore();
    const image = await putImage(source, ["one"]);
    await source.tag(image, "v1");
    const good = await Promise.all(["a", "b"].map((layer) => putImage(source, [layer], { subject: image })));
    const gone = { mediaType: mediaTypes.ociManifest, digest: digestOf(text("gone")), size: 4 };
    const odd = { mediaType: "application/vnd.example+json", digest: digestOf(text("odd")), size: 3 };
    const [first, second] = good as [Descriptor, Descriptor];
    const referrers: MemoryStore["referrers"] = async function* (subject) {
      if (subject.digest === image.digest) yield* [gone, first, odd, second];
    };
    const target = memoryStore();
    const heard: string[] = [];
    const onEvent = (event: ProgressEvent): void => {
      if (event.type === "warning") heard.push(event.message);
    };
    const options = { referrers: true, onEvent };
    const { outcomes } = await copyAll(
      [{ source: at(Object.assign(source, { referrers }), "v1"), target: at(target, "v1") }],
      options,
    );
    const [outcome] = outcomes;
    assert.deepEqual([outcome?.root?.digest, outcome?.error?.code], [image.digest, "PARTIAL"]);
    assert.match(outcome?.error?.message ?? "", /is copied, and of what refers to it 2 could not be/);
    assert.equal((await target.resolve("v1")).digest, image.digest);
    for (const each of good) assert.equal(await target.has(each), true);
    assert.equal(heard.length, 2);
    for (const each of [gone, odd])
      assert.ok(heard.some((message) => message.startsWith(`${each.digest}, which refers`)));
    await assert.rejects(
      copy(at(Object.assign(source, { referrers }), "v1"), at(memoryStore(), "v1"), options),
      (error) => isDrayError(error, "PARTIAL"),
    );
    // An archive is finished all the same: its image is whole.
    const file = join(temporaryFolder("partly"), "x.tar");
    await assert.rejects(copy(at(Object.assign(source, { referrers }), "v1"), at(ociArchive(file), "v1"), options));
    assert.equal((await ociArchive(file).resolve("v1")).digest, image.digest);
  });

  test("keeps not the name of the image either where its blob was only vouched for, and its source has none", async () => {
    const [source, target] = [memoryStore(), memoryStore()];
    const image = await putImage(source, ["one"]);
    await source.tag(image, "v1");
    const sbom = await putImage(source, ["sbom"], { subject: image });
    const lost = digestOf(text("sbom"));
    const read: MemoryStore["read"] = (descriptor, options) => {
      if (descriptor.digest === lost) throw new DrayError("NOT_FOUND", "it has lost that");
      return source.read(descriptor, options);
    };
    const has: WritableStore["has"] = async (descriptor, options) =>
      descriptor.digest === lost || target.has(descriptor, options);
    const write: WritableStore["write"] = async (descriptor, content, options) => {
      if (descriptor.digest === sbom.digest)
        throw new DrayError("NOT_FOUND", "blob unknown", { registryCode: "MANIFEST_BLOB_UNKNOWN" });
      return target.write(descriptor, content, options);
    };
    const ends = [Object.assign(bound(source), { read }), Object.assign(bound(target), { has, write })] as const;
    await assert.rejects(copy(at(ends[0], "v1"), at(ends[1], "v1"), { referrers: true }), (error) =>
      isDrayError(error, "PARTIAL"),
    );
    assert.equal((await target.resolve("v1")).digest, image.digest);
  });

  test("subjects are asked side by side, and each is asked once", async () => {
    const source = memoryStore();
    const children = await Promise.all(Array.from({ length: 12 }, (_, n) => putImage(source, [`child ${n}`])));
    await source.tag(await putIndex(source, [...children, ...children]), "v1");
    let [now, most, asked] = [0, 0, 0];
    const referrers: MemoryStore["referrers"] = async function* () {
      asked++;
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      yield* [];
    };
    await copy(at(Object.assign(source, { referrers }), "v1"), at(memoryStore(), "v1"), { referrers: true });
    assert.deepEqual([asked, most > 4], [13, true]);
  });
});

describe("copyAll", () => {
  test("one root that fails does not stop the others, and each has its result", async () => {
    const source = memoryStore();
    await source.tag(await putImage(source, ["one", "shared"]), "a");
    await source.tag(await putImage(source, ["two", "shared"]), "b");
    const target = recorded(memoryStore());
    const pairs = ["a", "missing", "b"].map((name) => ({ source: at(source, name), target: at(target.store, name) }));
    const { outcomes, copied } = await copyAll(pairs);
    assert.deepEqual(
      outcomes.map(({ error }) => error?.code),
      [undefined, "NOT_FOUND", undefined],
    );
    assert.equal(new Set(target.writes).size, target.writes.length);
    assert.equal(copied, 7);
    assert.equal(
      parseManifest(await collect(target.store.read(await target.store.resolve("b")), 1e6, "")).kind,
      "manifest",
    );
  });
});

test("a target that cannot be finished keeps none of the others from being finished", async () => {
  const registry = memoryRegistry();
  const names = ["v1", "v2", "v3", "v4", "v5", "v6"];
  for (const name of names) putSample(registry, "a/b", name, sampleImage({ seed: name, layers: 1 }));
  const source = clientOf(registry.handler).repository("a/b");
  const full = new DrayError("DISK", "the disk is full");
  const broken = Object.assign(memoryStore(), { close: () => Promise.reject(full) });
  const dir = temporaryFolder("other");
  const pairs = [broken, layoutStore(dir)].flatMap((store) =>
    names.map((name) => ({ source: { store: source, name, location: name }, target: { store, name, location: name } })),
  );
  await assert.rejects(copyAll(pairs), full);
  const other = layoutStore(dir);
  assert.deepEqual(await Array.fromAsync(other.tags()), names);
  await other.tag(await other.resolve("v1"), "not-locked");
  await other.close();
});
