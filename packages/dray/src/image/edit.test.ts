import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  bytesContent,
  collect,
  type LoadedManifest,
  loadManifest,
  type MemoryStore,
  memoryStore,
} from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import {
  type Descriptor,
  digestOf,
  encodeJson,
  type Index,
  type Manifest,
  mediaTypes,
  type Parsed,
} from "../oci/index.ts";
import type { ImageConfig } from "./config.ts";
import { type Change, type Edited, type EditOptions, edit, type ImageChange } from "./edit.ts";
import { viewOf } from "./views.ts";

/** As other tools write it: with white space, and members that nobody here knows. */
const written = (document: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(document, null, 3)}\n`);

interface Fixture {
  readonly store: MemoryStore;
  readonly index: Descriptor;
  readonly amd64: Descriptor;
  readonly arm64: Descriptor;
  readonly layer: Descriptor;
  put(bytes: Uint8Array, mediaType: string): Promise<Descriptor>;
}

const fixture = async (): Promise<Fixture> => {
  const store = memoryStore();
  const put = (bytes: Uint8Array, mediaType: string): Promise<Descriptor> =>
    store.ingest(bytesContent(bytes), { mediaType });
  const layer = await put(encodeJson("a layer"), mediaTypes.ociLayerGzip);
  const image = async (architecture: string): Promise<Descriptor> => {
    const config = await put(written({ architecture, os: "linux", "x-config": [1] }), mediaTypes.ociConfig);
    const manifest = {
      "x-first": null,
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { ...config, data: Buffer.from(written({ architecture })).toString("base64"), "x-descriptor": 1 },
      layers: [
        { ...layer, annotations: null },
        { ...layer, "x-layer": true },
      ],
    };
    return put(written(manifest), mediaTypes.ociManifest);
  };
  const [amd64, arm64] = [await image("amd64"), await image("arm64")];
  const entry = (descriptor: Descriptor, architecture: string): object => ({
    ...descriptor,
    platform: { os: "linux", architecture },
    annotations: null,
  });
  const index = await put(
    written({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [entry(amd64, "amd64"), entry(arm64, "arm64")],
      "x-index": { y: 1 },
    }),
    mediaTypes.ociIndex,
  );
  return { store, index, amd64, arm64, layer, put };
};

const edited = async ({ store }: Fixture, root: Descriptor, change: Change): Promise<Edited> =>
  edit(await viewOf(store, root), change);

const manifestOf = async (
  { store }: Edited,
  descriptor: Descriptor,
): Promise<LoadedManifest & { manifest: Manifest }> => {
  const loaded = await loadManifest(store, descriptor);
  assert.ok(loaded.parsed.kind === "manifest");
  return { ...loaded, manifest: loaded.parsed.manifest };
};

const indexOf = async (made: Edited): Promise<Index> => {
  const { parsed } = await loadManifest(made.store, made.root);
  assert.ok(parsed.kind === "index");
  return parsed.index;
};

/** The document as it is written, `null` members and all. */
const documentOf = async ({ store }: Edited, descriptor: Descriptor): Promise<Record<string, unknown>> =>
  JSON.parse(new TextDecoder().decode(await collect(store.read(descriptor), 1e6, "")));

const withUser: ImageChange = { config: (config) => ({ ...config, config: { User: "1000" } }) };
const team: ImageChange = { manifest: (document) => ({ ...document, annotations: { team: "a" } }) };

describe("an image", () => {
  test("another configuration: manifest and layers stay as they are, and no old content is carried along", async () => {
    const at = await fixture();
    const made = await edited(at, at.amd64, { image: () => withUser });
    const { manifest } = await manifestOf(made, made.root);
    assert.notEqual(made.root.digest, at.amd64.digest);
    assert.equal((manifest.config as Parsed<Descriptor>)["x-descriptor"], 1);
    assert.equal(manifest.config.data, undefined);
    const view = await viewOf(made.store, made.root);
    assert.ok(view.kind === "image");
    assert.deepEqual(await view.config(), {
      architecture: "amd64",
      os: "linux",
      "x-config": [1],
      config: { User: "1000" },
    } satisfies ImageConfig & { "x-config": number[] });
    const [before, after] = [await documentOf(made, at.amd64), await documentOf(made, made.root)];
    assert.deepEqual(Object.keys(after), Object.keys(before));
    assert.deepEqual({ ...after, config: 0 }, { ...before, config: 0 });
  });

  test("other annotations: the configuration keeps its digest", async () => {
    const at = await fixture();
    const made = await edited(at, at.amd64, { image: () => team });
    const [before, after] = [await documentOf(made, at.amd64), await documentOf(made, made.root)];
    assert.deepEqual(after, { ...before, annotations: { team: "a" } });
  });

  test("another layer, whose content lies on top: the other one keeps every member", async () => {
    const at = await fixture();
    const layer = await at.put(encodeJson("another"), mediaTypes.ociLayerGzip);
    const made = await edited(at, at.amd64, {
      image: async (image) => ({ layers: [...(await image.manifest()).layers.slice(0, 1), layer] }),
    });
    const [before, after] = [await documentOf(made, at.amd64), await documentOf(made, made.root)];
    assert.deepEqual(after["layers"], [(before["layers"] as unknown[])[0], { ...layer }]);
    const target = memoryStore();
    await copy(
      { store: made.store, name: made.root.digest, location: "" },
      { store: target, name: "v1", location: "" },
    );
    assert.equal(await target.has(layer), true);
  });

  test("what comes to the same keeps bytes and digest", async () => {
    const at = await fixture();
    const changes: readonly Change[] = [
      {},
      { image: () => undefined },
      { image: () => ({}) },
      { image: async (image) => ({ layers: [...(await image.manifest()).layers] }) },
      {
        image: () => ({ config: (config) => ({ ...config, os: "linux" }), manifest: (document) => ({ ...document }) }),
      },
      { index: (document) => ({ ...document, "x-index": { y: 1 } }) },
    ];
    for (const root of [at.amd64, at.index])
      for (const change of changes) assert.deepEqual((await edited(at, root, change)).root, root);
  });

  test("the digest keeps its algorithm", async () => {
    const at = await fixture();
    const bytes = await collect(at.store.read(at.amd64), 1e6, "");
    const root = { ...at.amd64, digest: digestOf(bytes, "sha512") };
    await at.store.write(root, bytesContent(bytes));
    assert.match((await edited(at, root, { image: () => team })).root.digest, /^sha512:/);
  });

  test("the store below is only read", async () => {
    const at = await fixture();
    const made = await edited(at, at.index, { image: () => team });
    assert.equal(await at.store.has(made.root), false);
  });
});

describe("an index", () => {
  test("follows the one image that changes; the other entry stays, and so do members that nobody knows", async () => {
    const at = await fixture();
    for (const change of [withUser, team]) {
      const made = await edited(at, at.index, {
        image: ({ descriptor }) => (descriptor.platform?.architecture === "arm64" ? change : undefined),
      });
      const [before, after] = [await documentOf(made, at.index), await documentOf(made, made.root)];
      const [old, now] = [before["manifests"], after["manifests"]] as [Descriptor[], Descriptor[]];
      assert.deepEqual(now[0], old[0]);
      assert.deepEqual(now[1]?.platform, old[1]?.platform);
      assert.notEqual(now[1]?.digest, at.arm64.digest);
      assert.deepEqual({ ...after, manifests: 0 }, { ...before, manifests: 0 });
      const target = memoryStore();
      const from = { store: made.store, name: made.root.digest, location: "" };
      assert.equal((await copy(from, { store: target, name: "v1", location: "" })).root.digest, made.root.digest);
    }
  });

  test("its own members, after those of its images", async () => {
    const at = await fixture();
    const made = await edited(at, at.index, {
      image: () => team,
      index: (document) => ({ ...document, manifests: (document["manifests"] as unknown[]).slice(1) }),
    });
    const { manifests } = await indexOf(made);
    assert.equal(manifests.length, 1);
    assert.deepEqual((await manifestOf(made, manifests[0] as Descriptor)).manifest.annotations, { team: "a" });
  });

  test("an image that it names many times is changed once, also in indexes below", async () => {
    const at = await fixture();
    let top = at.index;
    for (let i = 0; i < 40; i++) {
      const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [top, top] };
      top = await at.put(encodeJson(index), mediaTypes.ociIndex);
    }
    let asked = 0;
    const made = await edited(at, top, { image: () => (asked++, team) });
    assert.equal(asked, 2);
    const { manifests } = await indexOf(made);
    assert.equal(manifests[0]?.digest, manifests[1]?.digest);
    assert.notEqual(manifests[0]?.digest, top.digest);
  });

  test("of chosen platforms: the index stays, with the others as they were", async () => {
    const at = await fixture();
    const options: EditOptions = { platforms: ["linux/arm64"] };
    const made = await edit(await viewOf(at.store, at.index), { image: () => team }, options);
    const { manifests } = await indexOf(made);
    assert.deepEqual([manifests.length, manifests[0]?.digest === at.amd64.digest], [2, true]);
    assert.deepEqual((await manifestOf(made, manifests[1] as Descriptor)).manifest.annotations, { team: "a" });
    const all = await edit(await viewOf(at.store, at.index), { image: () => team }, { platforms: ["linux"] });
    assert.ok(
      (await indexOf(all)).manifests.every(({ digest }) => digest !== at.amd64.digest && digest !== at.arm64.digest),
    );
    await assert.rejects(
      edit(await viewOf(at.store, at.index), {}, { platforms: ["linux/s390x"] }),
      (error) => isDrayError(error, "NOT_FOUND") && error.message.includes("linux/amd64"),
    );
    const image = await edit(await viewOf(at.store, at.amd64), { image: () => team }, { platforms: ["linux/arm64"] });
    assert.notEqual(image.root.digest, at.amd64.digest);
  });

  test("what it says of an image, where only that changes", async () => {
    const at = await fixture();
    const made = await edited(at, at.index, {
      image: ({ descriptor }) =>
        descriptor.digest === at.arm64.digest
          ? { entry: (entry) => ({ ...entry, annotations: { a: "b" } }) }
          : undefined,
    });
    const [before, after] = [await documentOf(made, at.index), await documentOf(made, made.root)];
    const [old, now] = [before["manifests"], after["manifests"]] as [object[], object[]];
    assert.deepEqual(now, [old[0], { ...old[1], annotations: { a: "b" } }]);
  });

  test("another media type of the manifest is another one in what names it", async () => {
    const at = await fixture();
    const { dockerManifest, dockerList } = mediaTypes;
    const made = await edited(at, at.index, {
      image: () => ({ manifest: (document) => ({ ...document, mediaType: dockerManifest }) }),
      index: (document) => ({ ...document, mediaType: dockerList }),
    });
    assert.equal(made.root.mediaType, dockerList);
    assert.deepEqual(
      (await indexOf(made)).manifests.map(({ mediaType }) => mediaType),
      [dockerManifest, dockerManifest],
    );
  });

  test("an attestation of an image that changed is named no longer, and told of; that of another one stays", async () => {
    const at = await fixture();
    const attestation = async (about: Descriptor): Promise<object> => ({
      ...(await at.put(written({ schemaVersion: 2, config: at.layer, layers: [], about }), mediaTypes.ociManifest)),
      annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about.digest },
      platform: { os: "unknown", architecture: "unknown" },
    });
    const manifests = [at.amd64, at.arm64, await attestation(at.amd64), await attestation(at.arm64)];
    const root = await at.put(
      encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
      mediaTypes.ociIndex,
    );
    const made = await edited(at, root, {
      image: ({ descriptor }) => (descriptor.digest === at.arm64.digest ? team : undefined),
    });
    assert.deepEqual(
      made.leftOut.map(({ annotations }) => annotations?.["vnd.docker.reference.digest"]),
      [at.arm64.digest],
    );
    assert.deepEqual((await indexOf(made)).manifests.map(({ digest }) => digest).slice(2), [
      (manifests[2] as Descriptor).digest,
    ]);
    assert.deepEqual((await edited(at, root, {})).leftOut, []);
  });

  test("so is an artifact whose subject changed, and what says something about that; others stay", async () => {
    const at = await fixture();
    const artifact = async (subject: object | undefined, seed: string): Promise<Descriptor> =>
      at.put(
        written({
          schemaVersion: 2,
          artifactType: "a/b",
          config: at.layer,
          layers: [],
          subject,
          annotations: { seed },
        }),
        mediaTypes.ociManifest,
      );
    const signature = await artifact(at.arm64, "signature");
    const ofSignature = await artifact(signature, "of the signature");
    const others = [await artifact(at.amd64, "of the other"), await artifact(undefined, "of nothing")];
    const manifests = [at.amd64, at.arm64, ofSignature, ...others, signature];
    const root = await at.put(
      encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
      mediaTypes.ociIndex,
    );
    const made = await edited(at, root, {
      image: ({ descriptor }) => (descriptor.digest === at.arm64.digest ? team : undefined),
    });
    assert.deepEqual(
      made.leftOut.map(({ digest }) => digest),
      [ofSignature.digest, signature.digest],
    );
    assert.deepEqual(
      (await indexOf(made)).manifests.map(({ digest }) => digest).slice(2),
      others.map(({ digest }) => digest),
    );
  });

  test("a change that makes no manifest of it is refused", async () => {
    const at = await fixture();
    for (const change of [
      { image: () => ({ manifest: () => ({}) }) },
      { image: () => ({ manifest: (document) => ({ ...document, layers: 7 }) }) },
      { index: (document) => ({ ...document, manifests: [{}] }) },
    ] satisfies Change[])
      await assert.rejects(
        edited(at, at.index, change),
        (error) => isDrayError(error, "MANIFEST_INVALID") && error.message.includes("is not valid"),
      );
  });
});
