import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sample, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { bytesContent, type JsonObject, type MemoryStore, memoryStore, put, readJson } from "../../content/index.ts";
import { type ErrorCode, isDrayError } from "../../errors.ts";
import { type Descriptor, encodeJson, type Index, type Manifest, mediaTypes } from "../../oci/index.ts";
import { type Change, type Edited, edit, type Image, imageFrom, viewOf } from "../index.ts";
import { validate } from "../validate.ts";
import { allOf, annotated, type ConfigChange, configured, inMediaTypes, platformed, referringTo } from "./index.ts";

const stored = async (...samples: readonly Sample[]): Promise<MemoryStore> => {
  const store = memoryStore();
  for (const sample of samples) {
    for (const [digest, bytes] of sample.blobs)
      await store.write({ mediaType: "", digest, size: bytes.byteLength }, bytesContent(bytes), { kind: "blob" });
    for (const [digest, { mediaType, bytes }] of sample.manifests)
      await store.write({ mediaType, digest, size: bytes.byteLength }, bytesContent(bytes));
  }
  return store;
};

/** An image with this configuration, members that nobody here knows among them. */
const imageWith = async (config: object): Promise<Image> =>
  imageFrom({ config: { os: "linux", architecture: "amd64", "x-top": 1, ...config } as object });

const changedConfig = async (config: object, change: ConfigChange): Promise<Record<string, unknown>> => {
  const image = await imageWith(config);
  const { store, root } = await edit(image, configured(change));
  const { config: made } = await readJson<Manifest>(store, root);
  return readJson<Record<string, unknown>>(store, made);
};

const documentOf = (made: Edited, descriptor: Descriptor = made.root): Promise<Record<string, unknown>> =>
  readJson(made.store, descriptor);

describe("a configuration", () => {
  const inside: readonly [string, before: object, ConfigChange, after: object][] = [
    [
      "a variable that is there keeps its place",
      { Env: ["A=1", "B=2"] },
      { env: { A: "x=y" } },
      { Env: ["A=x=y", "B=2"] },
    ],
    ["a new variable comes last", { Env: ["B=2"] }, { env: { A: "" } }, { Env: ["B=2", "A="] }],
    ["the first variable", {}, { env: { A: "1" } }, { Env: ["A=1"] }],
    ["a variable where there is null", { Env: null }, { env: { A: "1" } }, { Env: ["A=1"] }],
    [
      "a variable is taken away, and one that is not there",
      { Env: ["A=1", "B=2"] },
      { env: { A: null, C: null } },
      { Env: ["B=2"] },
    ],
    ["the last variable is taken away", { Env: ["A=1"] }, { env: { A: null } }, {}],
    ["every variable is taken away", { Env: ["A=1", "B=2"] }, { env: null }, {}],
    [
      "of two lines for a variable one is left",
      { Env: ["A=1", "B", "A=2"] },
      { env: { A: "3", B: "4" } },
      { Env: ["A=3", "B=4"] },
    ],
    ["labels", { Labels: { a: "1", b: "2" } }, { labels: { b: null, c: "3" } }, { Labels: { a: "1", c: "3" } }],
    ["every label", { Labels: { a: "1" } }, { labels: null }, {}],
    [
      "an entrypoint; the command stays",
      { Cmd: ["a"] },
      { entrypoint: ["/b", "c d"] },
      { Cmd: ["a"], Entrypoint: ["/b", "c d"] },
    ],
    ["no entrypoint, no command", { Cmd: ["a"], Entrypoint: ["b"] }, { entrypoint: null, cmd: null }, {}],
    ["an empty entrypoint", { Entrypoint: ["b"] }, { entrypoint: [] }, { Entrypoint: [] }],
    [
      "user, workdir, stop signal",
      {},
      { user: "1000:1000", workdir: "/srv", stopSignal: "SIGINT" },
      { User: "1000:1000", WorkingDir: "/srv", StopSignal: "SIGINT" },
    ],
    [
      "no user, workdir, stop signal",
      { User: "a", WorkingDir: "/", StopSignal: "9" },
      { user: null, workdir: null, stopSignal: null },
      {},
    ],
    [
      "ports instead of others",
      { ExposedPorts: { "1/tcp": { x: 1 }, "2/tcp": {} } },
      { ports: ["1/tcp", "53/udp"] },
      { ExposedPorts: { "1/tcp": { x: 1 }, "53/udp": {} } },
    ],
    [
      "ports added and taken away",
      { ExposedPorts: { "80/tcp": {}, "81": {} } },
      { ports: { add: ["8000-8010/tcp"], remove: ["80", "81/tcp"] } },
      { ExposedPorts: { "8000-8010/tcp": {} } },
    ],
    ["no ports", { ExposedPorts: { "80/tcp": {} } }, { ports: null }, {}],
    [
      "volumes",
      { Volumes: { "/a": {} } },
      { volumes: { add: ["/b", "/a", "/b"] } },
      { Volumes: { "/a": {}, "/b": {} } },
    ],
    ["a volume less", { Volumes: { "/a": {}, "/b": {} } }, { volumes: { remove: ["/a"] } }, { Volumes: { "/b": {} } }],
    [
      "a health check, its other members kept",
      { Healthcheck: { Test: ["NONE"], Retries: 3, X: 1 } },
      { healthcheck: { Test: ["CMD", "a"], StartInterval: 5e9, Retries: null } },
      { Healthcheck: { Test: ["CMD", "a"], X: 1, StartInterval: 5e9 } },
    ],
    ["no health check", { Healthcheck: { Test: ["NONE"] } }, { healthcheck: null }, {}],
    [
      "shell and onbuild",
      { OnBuild: ["RUN a", "RUN b"] },
      { shell: ["/bin/bash", "-c"], onBuild: { add: ["RUN c"], remove: ["RUN a"] } },
      { OnBuild: ["RUN b", "RUN c"], Shell: ["/bin/bash", "-c"] },
    ],
    ["no shell, no onbuild", { OnBuild: ["RUN a"], Shell: ["sh"] }, { shell: null, onBuild: null }, {}],
    [
      "other members",
      { ArgsEscaped: true, Hostname: "a" },
      { members: { StopTimeout: 10, Tty: true, ArgsEscaped: null } },
      { Hostname: "a", StopTimeout: 10, Tty: true },
    ],
    ["nothing", { User: "a" }, {}, { User: "a" }],
  ];
  for (const [what, before, change, after] of inside)
    test(what, async () => {
      const made = await changedConfig({ config: { "X-Own": [1], ...before } }, change);
      assert.deepEqual(made["config"], { "X-Own": [1], ...after });
      assert.equal(made["x-top"], 1);
    });

  const outside: readonly [string, before: object, ConfigChange, after: object][] = [
    [
      "author and time",
      {},
      { author: "me", created: "2026-01-31T12:00:00+01:00" },
      { author: "me", created: "2026-01-31T12:00:00+01:00" },
    ],
    ["a time as a Date", {}, { created: new Date(Date.UTC(2026, 0, 31)) }, { created: "2026-01-31T00:00:00Z" }],
    ["no author, no time", { author: "me", created: "2026-01-31T12:00:00Z" }, { author: null, created: null }, {}],
    [
      "platform",
      {},
      { os: "windows", architecture: "arm64", variant: "v8", osVersion: "10.0.1", osFeatures: ["win32k"] },
      { os: "windows", architecture: "arm64", variant: "v8", "os.version": "10.0.1", "os.features": ["win32k"] },
    ],
    [
      "features added and taken away",
      { "os.features": ["a", "b"] },
      { osFeatures: { add: ["c"], remove: ["a"] } },
      { "os.features": ["b", "c"] },
    ],
    [
      "no variant, version, features",
      { variant: "v8", "os.version": "1", "os.features": ["a"] },
      { variant: null, osVersion: null, osFeatures: null },
      {},
    ],
  ];
  for (const [what, before, change, after] of outside)
    test(what, async () => {
      const { rootfs: _, ...made } = await changedConfig(before, change);
      assert.deepEqual(made, { os: "linux", architecture: "amd64", "x-top": 1, ...after });
    });

  test("where there is none about how it runs, one is made", async () => {
    for (const config of [undefined, null])
      assert.deepEqual((await changedConfig({ config }, { user: "a" }))["config"], { User: "a" });
  });

  test("on Windows names of variables are alike whatever their case, and new ones are in capitals", async () => {
    const made = await changedConfig(
      { os: "windows", config: { Env: ["Path=C:\\a"] } },
      { env: { PATH: "C:\\b", temp: "C:\\t" } },
    );
    assert.deepEqual((made["config"] as JsonObject)["Env"], ["Path=C:\\b", "TEMP=C:\\t"]);
  });

  test("what comes to the same keeps its digest", async () => {
    const image = await imageWith({ config: { Env: ["A=1"], User: "a" } });
    for (const change of [
      {},
      { env: { A: "1", B: null } },
      { user: "a" },
      { labels: null },
      { ports: { remove: ["80"] } },
      { variant: null },
    ] satisfies ConfigChange[])
      assert.equal((await edit(image, configured(change))).root, image.descriptor);
  });

  const refused: readonly [ConfigChange, string][] = [
    [{ created: "yesterday" }, "yesterday"],
    [{ created: new Date("x") }, "created"],
    [{ ports: ["http"] }, "http"],
    [{ ports: { add: ["80:80"] } }, "80:80"],
    [{ env: { "A=B": "1" } }, "A=B"],
    [{ env: { "": "1" } }, "variable"],
    [{ labels: { "": "1" } }, "label"],
    [{ healthcheck: { Interval: 0.5 } }, "Interval"],
    [{ healthcheck: { Retries: -1 } }, "Retries"],
  ];
  for (const [change, named] of refused)
    test(`${JSON.stringify(change)} is refused`, () =>
      assert.throws(
        () => configured(change),
        (error) => isDrayError(error, "USAGE") && error.message.includes(named),
      ));

  const damaged: readonly [object, ConfigChange, string][] = [
    [{ config: "text" }, { user: "a" }, "config"],
    [{ config: { Env: "A=1" } }, { env: { A: "1" } }, "Env"],
    [{ config: { Env: [1] } }, { env: { A: "1" } }, "Env"],
    [{ config: { Labels: ["a"] } }, { labels: { a: "1" } }, "Labels"],
    [{ config: { ExposedPorts: [] } }, { ports: { add: ["80"] } }, "ExposedPorts"],
    [{ "os.features": {} }, { osFeatures: { add: ["a"] } }, "os.features"],
  ];
  for (const [config, change, member] of damaged)
    test(`${JSON.stringify(config)} is not changed`, () =>
      assert.rejects(
        changedConfig(config, change),
        (error) => isDrayError(error, "MANIFEST_INVALID") && error.message.includes(`"${member}"`),
      ));
});

const attested = sampleIndex({ seed: "changes", platforms: ["linux/amd64", "linux/arm64"], attestations: true });

describe("an index", () => {
  test("each image is changed, attestations of them go, and it is whole", async () => {
    const store = await stored(attested);
    const made = await edit(await viewOf(store, attested.root), configured({ user: "1000" }));
    assert.equal(made.leftOut.length, 2);
    const { manifests } = await readJson<Index>(made.store, made.root);
    assert.deepEqual(
      manifests.map(({ platform }) => platform?.architecture),
      ["amd64", "arm64"],
    );
    assert.deepEqual((await validate(made.store, made.root)).findings, []);
    for (const entry of manifests) {
      const view = await viewOf(made.store, entry);
      assert.equal(view.kind === "image" && (await view.config()).config?.User, "1000");
    }
  });

  test("what it says of a platform follows the configuration, of the chosen image alone", async () => {
    const store = await stored(attested);
    const made = await edit(
      await viewOf(store, attested.root),
      platformed({ os: "linux", architecture: "arm", variant: "v7" }),
      { platforms: ["linux/arm64"] },
    );
    const { manifests } = await readJson<Index>(made.store, made.root);
    assert.deepEqual(
      manifests.slice(0, 2).map(({ platform }) => platform),
      [
        { os: "linux", architecture: "amd64" },
        { os: "linux", architecture: "arm", variant: "v7" },
      ],
    );
    assert.deepEqual((await validate(made.store, made.root)).findings, []);
  });
});

describe("annotations", () => {
  test("in each place, set and taken away; attestations keep theirs", async () => {
    const store = await stored(attested);
    const view = await viewOf(store, attested.root);
    const made = await edit(view, annotated({ a: "1", b: "" }, ["manifest", "index", "entry", "layers"]));
    const index = await readJson<Index>(made.store, made.root);
    assert.deepEqual(index.annotations, { a: "1", b: "" });
    assert.deepEqual(
      index.manifests.map(({ annotations }) => annotations),
      [
        { a: "1", b: "" },
        { a: "1", b: "" },
      ],
    );
    const manifest = await readJson<Manifest>(made.store, index.manifests[0] as Descriptor);
    assert.deepEqual(manifest.annotations, { a: "1", b: "" });
    assert.ok(manifest.layers.every(({ annotations }) => annotations?.["a"] === "1"));
    const again = await edit(
      await viewOf(made.store, made.root),
      annotated({ a: null }, ["manifest", "index", "entry", "layers"]),
    );
    assert.deepEqual((await readJson<Index>(again.store, again.root)).annotations, { b: "" });
    const none = await edit(
      await viewOf(again.store, again.root),
      annotated(null, ["manifest", "index", "entry", "layers"]),
    );
    const bare = await readJson<Index>(none.store, none.root);
    assert.equal("annotations" in bare, false);
    assert.deepEqual(
      bare.manifests,
      attested.images.map(({ root, platform }) => ({ ...root, platform })),
    );
  });

  test("of entries alone: the images stay, and their attestations", async () => {
    const store = await stored(attested);
    const made = await edit(await viewOf(store, attested.root), annotated({ a: "1" }, ["entry"]), {
      platforms: ["linux/amd64"],
    });
    const { manifests } = await readJson<Index>(made.store, made.root);
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations?.["a"]),
      ["1", undefined, undefined, undefined],
    );
    assert.equal(manifests[0]?.digest, attested.images[0]?.root.digest);
  });
});

describe("a subject", () => {
  test("is set on what is in view, is kept by other changes, and is taken away", async () => {
    const store = await stored(attested, sampleArtifact({ seed: "changes" }));
    const subject = { ...(attested.images[0] as Sample).root, annotations: { not: "taken" } };
    const { mediaType, digest, size } = subject;
    for (const root of [attested.root, sampleArtifact({ seed: "changes" }).root, (attested.images[1] as Sample).root]) {
      const made = await edit(await viewOf(store, root), referringTo(subject));
      assert.deepEqual((await documentOf(made))["subject"], { mediaType, digest, size });
      const kept = await edit(await viewOf(made.store, made.root), annotated({ a: "1" }, ["manifest", "index"]));
      assert.deepEqual((await documentOf(kept))["subject"], { mediaType, digest, size });
      const gone = await edit(await viewOf(made.store, made.root), referringTo(null));
      assert.equal(gone.root.digest, root.digest);
    }
  });

  test("is nothing that Docker's types know", async () => {
    const sample = sampleImage({ docker: true });
    const view = await viewOf(await stored(sample), sample.root);
    await assert.rejects(edit(view, referringTo(sample.root)), (error) => isDrayError(error, "UNSUPPORTED"));
    const made = await edit(view, allOf(inMediaTypes("oci"), referringTo(sample.root)));
    assert.equal((await readJson<Manifest>(made.store, made.root)).subject?.digest, sample.root.digest);
  });
});

describe("media types", () => {
  for (const compression of ["none", "gzip", "zstd"] as const)
    test(`Docker to OCI and back, layers ${compression}: the same bytes as before`, async () => {
      const options = { platforms: ["linux/amd64", "linux/arm64"], image: { docker: true, compression } };
      const sample = sampleIndex(options);
      const oci = sampleIndex({ ...options, image: { compression } });
      const view = await viewOf(await stored(sample), sample.root);
      const made = await edit(view, inMediaTypes("oci"));
      assert.equal(made.root.digest, oci.root.digest);
      assert.equal(made.root.mediaType, mediaTypes.ociIndex);
      const back = await edit(await viewOf(made.store, made.root), inMediaTypes("docker"));
      assert.deepEqual(back.root, sample.root);
      assert.equal((await edit(view, inMediaTypes("docker"))).root.digest, sample.root.digest);
    });

  test("layers that lie elsewhere by licence", async () => {
    const image = await imageFrom({
      layers: [{ content: new Uint8Array(), mediaType: mediaTypes.dockerForeignLayer }],
      form: "docker",
    });
    const made = await edit(image, inMediaTypes("oci"));
    const { layers } = await readJson<Manifest>(made.store, made.root);
    assert.equal(layers[0]?.mediaType, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
    assert.equal(
      (await edit(await viewOf(made.store, made.root), inMediaTypes("docker"))).root.digest,
      image.descriptor.digest,
    );
  });

  test("an OCI manifest that does not say its type stays as it is", async () => {
    const store = memoryStore();
    const config = await put(store, encodeJson({}), { mediaType: mediaTypes.ociConfig });
    const root = await put(store, encodeJson({ schemaVersion: 2, config, layers: [] }), {
      mediaType: mediaTypes.ociManifest,
    });
    assert.equal((await edit(await viewOf(store, root), inMediaTypes("oci"))).root.digest, root.digest);
  });

  test("what Docker's cannot express is said, and taken away where that is wanted", async () => {
    const store = await stored(attested);
    const view = await viewOf(store, attested.root);
    const noted = await edit(
      view,
      allOf(annotated({ a: "1" }, ["manifest", "index", "entry", "layers"]), referringTo(attested.root)),
    );
    const notedView = await viewOf(noted.store, noted.root);
    await assert.rejects(
      edit(notedView, inMediaTypes("docker")),
      (error) => isDrayError(error, "UNSUPPORTED") && error.message.includes("annotations, layers[0].annotations"),
    );
    const made = await edit(notedView, inMediaTypes("docker", { lossy: true }));
    const plain = sampleIndex({ seed: "changes", platforms: ["linux/amd64", "linux/arm64"], image: { docker: true } });
    assert.equal(made.root.digest, plain.root.digest);
    assert.equal((await edit(view, inMediaTypes("docker", { lossy: true }))).root.digest, plain.root.digest);
  });

  const unknown: readonly [string, "oci" | "docker"][] = [
    ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "docker"],
    ["application/vnd.in-toto+json", "docker"],
    ["application/vnd.acme.layer", "oci"],
  ];
  for (const [mediaType, form] of unknown)
    test(`${mediaType} has none in ${form}`, async () => {
      const image = await imageFrom({
        layers: [{ content: new Uint8Array(), mediaType }],
        form: form === "oci" ? "docker" : "oci",
      });
      await assert.rejects(
        edit(image, inMediaTypes(form)),
        (error) => isDrayError(error, "UNSUPPORTED") && error.message.includes(mediaType),
      );
    });
});

describe("several changes", () => {
  test("are one, in their order, and no more than one pass", async () => {
    const image = await imageWith({ config: { Env: ["A=1"] } });
    const made = await edit(
      image,
      allOf(
        configured({ user: "a", env: { B: "2" } }),
        annotated({ a: "1" }),
        configured({ user: "b", env: { A: null } }),
      ),
    );
    const { config, annotations } = await readJson<Manifest>(made.store, made.root);
    assert.deepEqual(annotations, { a: "1" });
    assert.deepEqual((await readJson<{ config: object }>(made.store, config)).config, { Env: ["B=2"], User: "b" });
    assert.equal((await edit(image, allOf())).root, image.descriptor);
  });

  test("of an artifact: what is said of it can change, its configuration cannot", async () => {
    const artifact = sampleArtifact();
    const view = await viewOf(await stored(artifact), artifact.root);
    const codes: readonly [Change, ErrorCode | undefined][] = [
      [configured({ user: "a" }), "UNSUPPORTED"],
      [inMediaTypes("docker"), "UNSUPPORTED"],
      [annotated({ a: "1" }), undefined],
    ];
    for (const [change, code] of codes)
      if (code === undefined) await edit(view, change);
      else
        await assert.rejects(
          edit(view, change),
          (error) => isDrayError(error, code) && error.message.includes("is an artifact"),
        );
  });
});
