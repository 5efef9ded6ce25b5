import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryRegistry, put, sampleIndex, seededBytes, tar } from "@dray/testkit";
import { against, failsWith } from "../../../test/registry-client.ts";
import { type MemoryStore, memoryStore, put as putBytes } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { annotationKeys, type Descriptor, encodeJson, mediaTypes } from "../../oci/index.ts";
import type { HistoryEntry, ImageConfig } from "../config.ts";
import { edit } from "../edit.ts";
import { ingestLayer } from "../layers/index.ts";
import { type Image, viewOf } from "../views.ts";
import { type Rebased, rebased } from "./index.ts";

/** Layers by letters; the same letter is the same files, `A` the same as `a` compressed otherwise. `.` is a step that makes none. */
interface Shape {
  readonly steps: string;
  readonly docker?: boolean;
  readonly config?: object;
  /** Nobody wrote how it came to be. */
  readonly silent?: boolean;
}

const imageOf = async (
  store: MemoryStore,
  { steps, docker = false, config = {}, silent = false }: Shape,
): Promise<Image> => {
  const layers: Descriptor[] = [];
  const diffIDs: string[] = [];
  const history: HistoryEntry[] = [];
  for (const [i, step] of steps.split("").entries()) {
    if (step === ".") history.push({ created_by: `ENV ${steps.slice(0, i)}`, empty_layer: true });
    else {
      const bytes = tar([{ path: step.toLowerCase(), kind: "file", bytes: seededBytes(step.toLowerCase(), 100) }]);
      const level = step === step.toLowerCase() ? 2 : 9;
      const { descriptor, diffID } = await ingestLayer(store, bytes, { level });
      layers.push({ ...descriptor, mediaType: docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip });
      diffIDs.push(diffID);
      history.push({ created_by: `COPY ${step.toLowerCase()}` });
    }
  }
  const document = {
    os: "linux",
    architecture: "amd64",
    ...config,
    rootfs: { type: "layers", diff_ids: diffIDs },
    ...(silent ? {} : { history }),
  };
  const types = docker
    ? ([mediaTypes.dockerConfig, mediaTypes.dockerManifest] as const)
    : ([mediaTypes.ociConfig, mediaTypes.ociManifest] as const);
  const named = await putBytes(store, encodeJson(document), { mediaType: types[0] });
  const manifest = {
    schemaVersion: 2,
    mediaType: types[1],
    config: named,
    layers,
    annotations: { "org.example.kept": "1" },
  };
  return (await viewOf(
    store,
    await putBytes(store, encodeJson(manifest), { mediaType: types[1], kind: "manifest" }),
  )) as Image;
};

/** What came of it: history in letters, the types of layers, the configuration, the annotations. */
const rebase = async (app: Shape, from: Shape, to: Shape) => {
  const store = memoryStore();
  const [image, old, fresh] = [await imageOf(store, app), await imageOf(store, from), await imageOf(store, to)];
  let done: Rebased | undefined;
  const change = rebased(
    async () => ({ from: old, to: fresh, name: "r.test/base:2" }),
    (each) => void (done = each),
  );
  const { store: over, root } = await edit(image, change);
  const view = (await viewOf(over, root)) as Image;
  const [config, manifest] = [await view.config(), await view.manifest()];
  const counts = [done?.removed, done?.added, done?.kept];
  const steps = (config.history ?? []).map(({ created_by = "?", empty_layer }) =>
    empty_layer ? "." : created_by.slice(-1),
  );
  return { config, manifest, counts, steps: steps.join(""), fresh };
};

describe("an image on another base", () => {
  const rows: readonly (readonly [what: string, app: string, from: string, to: string, steps: string])[] = [
    ["one layer for one", "abx", "ab", "cd", "cdx"],
    ["steps that make no layer stay with whom they belong", "a.b.x.y", "a.b.", "c..d", "c..dx.y"],
    ["steps of the image itself that follow its base at once", "a.b..x", "a.b", "c", "c..x"],
    ["a base of more layers", "ax", "a", "cdef", "cdefx"],
    ["a base of fewer", "abcx", "abc", "d", "dx"],
    ["a base without any layer", ".ax", ".", "c", "cax"],
    ["an image that is its base", "ab", "ab", "cd", "cd"],
    ["the same content, compressed otherwise", "ABx", "ab", "cd", "cdx"],
    ["the base that it has", "abx", "ab", "ab", "abx"],
  ];
  for (const [what, app, from, to, steps] of rows)
    test(what, async () => {
      const made = await rebase({ steps: app }, { steps: from }, { steps: to });
      assert.equal(made.steps, steps);
      const layers = steps.split("").filter((step) => step !== ".").length;
      assert.equal(made.manifest.layers.length, layers);
      assert.equal(made.config.rootfs?.diff_ids?.length, layers);
      assert.deepEqual(made.manifest.annotations, {
        "org.example.kept": "1",
        [annotationKeys.baseDigest]: made.fresh.descriptor.digest,
        [annotationKeys.baseName]: "r.test/base:2",
      });
    });

  test("the platform is the new base's, all else the image's own", async () => {
    const own = { author: "me", created: "2020-01-01T00:00:00Z", variant: "v8", "x-own": 1, config: { Env: ["A=1"] } };
    const base = {
      architecture: "arm64",
      "os.version": "10",
      "os.features": ["f"],
      author: "them",
      config: { Env: [] },
    };
    const { config } = await rebase({ steps: "ax", config: own }, { steps: "a" }, { steps: "b", config: base });
    const { rootfs: _, history: __, ...rest } = config as ImageConfig & Record<string, unknown>;
    const { variant: ___, ...kept } = own;
    assert.deepEqual(rest, { ...kept, os: "linux", architecture: "arm64", "os.version": "10", "os.features": ["f"] });
  });

  test("layers are called as the image calls its own", async () => {
    const docker = await rebase({ steps: "ax", docker: true }, { steps: "a" }, { steps: "bc" });
    assert.deepEqual(
      new Set(docker.manifest.layers.map(({ mediaType }) => mediaType)),
      new Set([mediaTypes.dockerLayerGzip]),
    );
    const oci = await rebase({ steps: "ax" }, { steps: "a", docker: true }, { steps: "bc", docker: true });
    assert.deepEqual(
      new Set(oci.manifest.layers.map(({ mediaType }) => mediaType)),
      new Set([mediaTypes.ociLayerGzip]),
    );
  });

  test("without history no layer is lost", async () => {
    const none = await rebase(
      { steps: "abxy", silent: true },
      { steps: "ab", silent: true },
      { steps: "c", silent: true },
    );
    assert.deepEqual([none.manifest.layers.length, none.config.history], [3, undefined]);
    const some = await rebase({ steps: "abx", silent: true }, { steps: "ab" }, { steps: "c" });
    assert.deepEqual([some.manifest.layers.length, some.config.history], [2, [{ created_by: "COPY c" }, {}]]);
    const other = await rebase({ steps: "abx" }, { steps: "ab", silent: true }, { steps: "cd", silent: true });
    assert.deepEqual(
      [other.counts, other.config.history],
      [
        [2, 2, 1],
        [{}, {}, { created_by: "COPY x" }],
      ],
    );
  });

  test("a base that is not the image's is refused, and the first layer that differs is named", async () => {
    for (const [app, from, layer] of [
      ["abx", "ac", 2],
      ["ax", "ab", 2],
      ["a", "ab", 2],
      ["", "a", 1],
    ] as const)
      await assert.rejects(rebase({ steps: app }, { steps: from }, { steps: "z" }), (error: Error) => {
        assert.match(error.message, new RegExp(`does not stand on sha256:.*: layer ${layer} of the base is sha256:`));
        return failsWith("CHECK_FAILED")(error);
      });
  });

  test("layers of the new base are mounted where they lie on the same registry, and no other byte of them moves", async () => {
    const registry = memoryRegistry();
    const [old, fresh] = [sampleIndex({ seed: "rebase/old" }), sampleIndex({ seed: "rebase/new" })];
    put(registry, "base", "1", old);
    put(registry, "base", "2", fresh);
    put(registry, "app", "1", old);
    const { client, log } = against(registry);
    const [base, app] = [client.repository("base"), client.repository("app")];
    const of = async (name: string, image: Image): Promise<Image> => {
      const view = await viewOf(base, await base.resolve(name));
      assert.equal(view.kind, "index");
      return (view as Extract<typeof view, { kind: "index" }>).image(`linux/${(await image.config()).architecture}`);
    };
    const view = await viewOf(app, await app.resolve("1"));
    const change = rebased(async (image) => ({ from: await of("1", image), to: await of("2", image) }));
    const { store, root } = await edit(view, change);
    await copy({ store, name: root.digest, location: "" }, { store: app, name: "2", location: "" });
    const sent = log.select({ target: "/v2/app/blobs/uploads/" }).filter(({ method }) => method === "POST");
    const mounted = sent.filter(({ target }) => target.includes("mount=") && target.includes("from=base"));
    assert.equal(mounted.length, 4);
    assert.equal(sent.length - mounted.length, 2, "the two configurations");
    for (const image of fresh.images)
      for (const layer of image.layers) assert.equal(registry.blob("app", layer.digest)?.size, layer.size);
  });
});
