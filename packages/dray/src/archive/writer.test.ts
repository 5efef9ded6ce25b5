import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type Sample, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import {
  bytesContent,
  collect,
  type Located,
  type MemoryStore,
  memoryStore,
  type ProgressEvent,
  type ReadableStore,
  type Store,
} from "../content/index.ts";
import { copy, copyAll } from "../copy/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { validate } from "../image/index.ts";
import { ociArchive } from "../layout/index.ts";
import { type Descriptor, digestOf, encodeJson, hexOf, mediaTypes } from "../oci/index.ts";
import { readEntries } from "../tar/index.ts";
import { type ArchiveOptions, dockerArchive, legacyArchive } from "./index.ts";

/** Where what is spooled lies, for this process alone: tests beside it spool as well. */
const unfinished = temporaryFolder("unfinished");
process.env["TMPDIR"] = unfinished;

const storeOf = async (...samples: Sample[]): Promise<MemoryStore> => {
  const store = memoryStore();
  const put = (mediaType: string, bytes: Uint8Array): Promise<void> =>
    store.write({ mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytesContent(bytes));
  for (const { blobs, manifests, root } of samples) {
    for (const bytes of blobs.values()) await put("application/octet-stream", bytes);
    for (const { mediaType, bytes } of manifests.values()) await put(mediaType, bytes);
    await store.tag(root, root.digest);
  }
  return store;
};

const at = <S>(store: S, name: string): Located<S> => ({ store, name, location: `test:${name}` });

const inFolder = async (work: (folder: string, file: string) => Promise<void>): Promise<void> => {
  const folder = temporaryFolder("write");
  await work(folder, join(folder, "x.tar"));
};

const save = async (
  samples: readonly (readonly [Sample, string])[],
  file: string,
  make: (file: string, options?: ArchiveOptions) => Store = dockerArchive,
  options?: ArchiveOptions,
): Promise<void> => {
  const source = await storeOf(...samples.map(([sample]) => sample));
  const target = make(file, options);
  const { outcomes } = await copyAll(
    samples.map(([sample, name]) => ({ source: at(source, sample.root.digest), target: at(target, name) })),
  );
  for (const { error } of outcomes) if (error !== undefined) throw error;
};

const entriesOf = async (bytes: Uint8Array): Promise<Map<string, Buffer>> => {
  const found = new Map<string, Buffer>();
  const chunks = (async function* () {
    yield bytes;
  })();
  for await (const { name, type, linkName, body } of readEntries(chunks)) {
    assert.ok(!found.has(name), `${name} comes twice`);
    found.set(
      name,
      type === "hardlink" ? (found.get(linkName) as Buffer) : Buffer.from(await collect(body, 1e9, name)),
    );
  }
  return found;
};

const code =
  (wanted: ErrorCode, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(isDrayError(error, wanted), `${String(error)} should be ${wanted}`);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" should name "${word}"`);
    return true;
  };

const list = (entries: Map<string, Buffer>): unknown => JSON.parse((entries.get("manifest.json") as Buffer).toString());

test("an image is saved under its digest names, with the list at the end, and nothing stays beside it", () =>
  inFolder(async (folder, file) => {
    const image = sampleImage({ layers: 3 });
    await save([[image, "quay.io/team/app:1"]], file);
    const entries = await entriesOf(await readFile(file));
    assert.deepEqual(
      [...entries.keys()],
      [image.config.digest, ...image.layers.map(({ digest }) => `${hexOf(digest)}.tar.gz`), "manifest.json"],
    );
    for (const { digest } of [image.config, ...image.layers])
      assert.ok(
        [...entries.values()].some((bytes) => bytes.equals(image.blobs.get(digest) as Uint8Array)),
        digest,
      );
    assert.equal(
      entries.get("manifest.json")?.toString(),
      JSON.stringify([
        {
          Config: image.config.digest,
          RepoTags: ["quay.io/team/app:1"],
          Layers: image.layers.map(({ digest }) => `${hexOf(digest)}.tar.gz`),
        },
      ]),
    );
    assert.deepEqual(await readdir(folder), ["x.tar"]);
  }));

test("what was saved is read again, with Docker's types over the same layers", () =>
  inFolder(async (_folder, file) => {
    const image = sampleImage({ docker: true });
    const target = dockerArchive(file);
    await copy(at(await storeOf(image), image.root.digest), at(target, "app"));
    // The store can be used again after it was closed.
    const root = await target.resolve("app");
    const { layers, config } = JSON.parse(Buffer.from(await collect(target.read(root), 1e6, "m")).toString()) as Record<
      string,
      unknown
    >;
    assert.deepEqual({ layers, config }, { layers: image.layers, config: image.config });
    await target.close();
  }));

test("names are written as docker load takes them", () =>
  inFolder(async (_folder, file) => {
    const image = sampleImage();
    const digest = image.root.digest;
    for (const [name, wanted] of [
      ["alpine", ["alpine:latest"]],
      ["docker.io/library/alpine:3", ["docker.io/library/alpine:3"]],
      ["localhost:5000/app", ["localhost:5000/app:latest"]],
      [`quay.io/team/app@${digest}`, ["quay.io/team/app:i-was-a-digest"]],
      [`quay.io/team/app:1@${digest}`, ["quay.io/team/app:i-was-a-digest"]],
      [`alpine@${digest}`, ["index.docker.io/library/alpine:i-was-a-digest"]],
      ["", null],
      [digest, null],
    ] as const) {
      await save([[image, name]], file);
      const [{ RepoTags }] = list(await entriesOf(await readFile(file))) as [{ RepoTags: unknown }];
      assert.deepEqual(RepoTags, wanted, name);
    }
  }));

test("several images share layers, and are listed by name", () =>
  inFolder(async (_folder, file) => {
    const [a, b] = [sampleImage({ seed: "a" }), sampleImage({ seed: "b" })];
    const shared: Sample = { ...b, manifests: new Map(), blobs: new Map([...a.blobs, ...b.blobs]) };
    const manifest = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: b.config,
      layers: [a.layers[0], b.layers[1]],
    });
    const root = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.byteLength };
    const mixed: Sample = {
      ...shared,
      root,
      manifests: new Map([[root.digest, { mediaType: root.mediaType, bytes: manifest }]]),
    };
    await save(
      [
        [mixed, "z:1"],
        [a, "b:1"],
        [a, "a:1"],
      ],
      file,
    );
    const entries = await entriesOf(await readFile(file));
    assert.equal(entries.size, 2 + 2 + 1 + 1);
    assert.deepEqual(
      (list(entries) as { RepoTags: string[] }[]).map(({ RepoTags }) => RepoTags),
      [["a:1"], ["b:1"], ["z:1"]],
    );
  }));

test("layers are called by their compression, and a blob with two parts to play has two names", () =>
  inFolder(async (_folder, file) => {
    for (const [compression, end] of [
      ["none", ".tar"],
      ["zstd", ".tar.zst"],
    ] as const) {
      const image = sampleImage({ compression });
      await save([[image, "a"]], file);
      assert.ok(
        (await entriesOf(await readFile(file))).has(`${hexOf(image.layers[0]?.digest as Descriptor["digest"])}${end}`),
      );
    }
    const empty = sampleArtifact({ bytes: Buffer.from("{}") });
    await save([[empty, "a"]], file);
    const digest = digestOf(Buffer.from("{}"));
    assert.deepEqual([...(await entriesOf(await readFile(file))).keys()].sort(), [
      `${hexOf(digest)}.tar.gz`,
      "manifest.json",
      digest,
    ]);
  }));

test("an archive can be as wide as it likes: sha512 names are written and found again", () =>
  inFolder(async (_folder, file) => {
    const image = sampleImage();
    const config = image.blobs.get(image.config.digest) as Uint8Array;
    const descriptor = { ...image.config, digest: digestOf(config, "sha512") };
    const bytes = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptor,
      layers: image.layers,
    });
    const root = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.byteLength };
    const source = await storeOf(image);
    await source.write(descriptor, bytesContent(config));
    await source.write(root, bytesContent(bytes));
    await source.tag(root, "x");
    await copy(at(source, "x"), at(dockerArchive(file), "a"));
    assert.ok((await entriesOf(await readFile(file))).has(descriptor.digest));
    const store = dockerArchive(file);
    assert.deepEqual(Buffer.from(await collect(store.read(await store.resolve("a")), 1e6, "m")).length > 0, true);
    await store.close();
  }));

test("layers that lie elsewhere by licence are listed with their source, whether they were copied or not", () =>
  inFolder(async (_folder, file) => {
    const image = sampleImage();
    const [foreign, plain] = image.layers as [Descriptor, Descriptor];
    const away = { ...foreign, mediaType: mediaTypes.dockerForeignLayer, urls: ["https://example.com/x?a=1&b=<2>"] };
    const bytes = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: image.config,
      layers: [away, plain],
    });
    const root = { mediaType: mediaTypes.dockerManifest, digest: digestOf(bytes), size: bytes.byteLength };
    for (const foreignLayers of [true, false]) {
      const source = await storeOf(image);
      await source.write(root, bytesContent(bytes));
      await source.tag(root, "x");
      await copy(at(source, "x"), at(dockerArchive(file), "a"), { foreignLayers });
      const entries = await entriesOf(await readFile(file));
      const name = `${hexOf(foreign.digest)}.tar.gz`;
      assert.equal(entries.has(name), foreignLayers);
      const [{ Layers, LayerSources }] = list(entries) as [{ Layers: string[]; LayerSources: unknown }];
      assert.equal(Layers[0], name);
      assert.deepEqual(LayerSources, { [image.diffIDs[0] as string]: away });
      assert.match((entries.get("manifest.json") as Buffer).toString(), /a=1\\u0026b=\\u003c2\\u003e/);
    }
  }));

test("an archive that would lack a layer it names is not written, in any form; what lies elsewhere and says where may be away", () =>
  inFolder(async (folder, file) => {
    const image = sampleImage();
    const [first, second] = image.layers as [Descriptor, Descriptor];
    const urls = ["https://example.com/x"];
    const forms = [dockerArchive, legacyArchive, ociArchive];
    const rows: readonly [string, Descriptor, boolean][] = [
      ["a layer", first, false],
      ["a layer with another address", { ...first, urls }, false],
      ["a foreign layer that says no address", { ...first, mediaType: mediaTypes.dockerForeignLayer }, false],
      ["a foreign layer", { ...first, mediaType: mediaTypes.dockerForeignLayer, urls }, true],
    ];
    for (const make of forms)
      for (const [name, missing, mayBeAway] of rows) {
        const type = mediaTypes.dockerManifest;
        const bytes = encodeJson({
          schemaVersion: 2,
          mediaType: type,
          config: image.config,
          layers: [missing, second],
        });
        const root = { mediaType: type, digest: digestOf(bytes), size: bytes.byteLength };
        const store = make(file);
        for (const blob of [image.config, second])
          await store.write(blob, bytesContent(image.blobs.get(blob.digest) as Uint8Array));
        await store.write(root, bytesContent(bytes));
        await store.tag(root, "a:1");
        if (mayBeAway) {
          await store.close();
          const { findings } = await validate(make(file), await make(file).resolve(""));
          assert.deepEqual(findings, [], `${make.name}: ${name}`);
        } else await assert.rejects(store.close(), code("NOT_FOUND", first.digest), `${make.name}: ${name}`);
        assert.deepEqual((await readdir(folder)).includes("x.tar"), mayBeAway, `${make.name}: ${name}`);
        for (const left of await readdir(folder)) await rm(join(folder, left));
      }
  }));

test("what is no image is told of: nothing loads such an archive", () =>
  inFolder(async (_folder, file) => {
    const helm = sampleArtifact({ mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip" });
    const heard: ProgressEvent[] = [];
    const source = await storeOf(helm);
    await source.tag(helm.root, "x");
    await copy(at(source, "x"), at(dockerArchive(file), "a"), { onEvent: (event) => heard.push(event) });
    const warnings = heard.flatMap((event) => (event.type === "warning" ? event.message : []));
    assert.equal(warnings.length, 1);
    assert.match(
      `${warnings[0]}`,
      /is no image: its configuration is of type ".*"; no program loads such an archive, an OCI archive/,
    );
  }));

test("an index and schema 1 have no place in it, and that is said before anything is moved", () =>
  inFolder(async (folder, file) => {
    await writeFile(file, "old");
    await assert.rejects(save([[sampleIndex(), "a:1"]], file), code("UNSUPPORTED", "index", "platform", "oci-archive"));
    assert.deepEqual(await readdir(folder), ["x.tar"]);
    assert.equal(await readFile(file, "utf8"), "old");
  }));

test("one platform of an index is saved", () =>
  inFolder(async (_folder, file) => {
    const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm64"] });
    await copy(at(await storeOf(index), index.root.digest), at(dockerArchive(file), "a:1"), {
      platforms: ["linux/arm64"],
    });
    const entries = await entriesOf(await readFile(file));
    const [{ Config }] = list(entries) as [{ Config: string }];
    assert.equal(
      (JSON.parse((entries.get(Config) as Buffer).toString()) as { architecture: string }).architecture,
      "arm64",
    );
  }));

/** A source that breaks off after some bytes, once, and counts what it gave. */
const breaking = (store: MemoryStore, after: number): ReadableStore & { given: () => number } => {
  let given = 0;
  let left = after;
  return {
    given: () => given,
    resolve: (name) => store.resolve(name),
    read: async function* (descriptor, options) {
      for await (const bytes of store.read(descriptor, options))
        for (let i = 0; i < bytes.byteLength; i += 4096) {
          const chunk = bytes.subarray(i, i + 4096);
          left -= chunk.byteLength;
          if (left < 0) throw new Error("cable pulled");
          given += chunk.byteLength;
          yield chunk;
        }
    },
  };
};

test("a copy that breaks off leaves what was there, and the next one asks for the rest", () =>
  inFolder(async (folder, file) => {
    await writeFile(file, "old");
    const image = sampleImage({ layers: 4, layerSize: 300_000 });
    const store = await storeOf(image);
    const all = [...image.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const first = breaking(store, 700_000);
    await assert.rejects(copy(at(first, image.root.digest), at(dockerArchive(file), "a")), /cable pulled/);
    assert.equal(await readFile(file, "utf8"), "old");
    assert.deepEqual((await readdir(folder)).sort(), ["x.tar", "x.tar.dray-part"]);
    const second = breaking(store, Infinity);
    await copy(at(second, image.root.digest), at(dockerArchive(file), "a"));
    assert.deepEqual(await readdir(folder), ["x.tar"]);
    const asked = first.given() + second.given();
    assert.ok(asked < all * 1.1 + 2 * image.root.size, `${asked} bytes for an image of ${all}`);
    assert.equal((await entriesOf(await readFile(file))).size, 6);
  }));

const killed = `
  import { copy } from ${JSON.stringify(new URL("../copy/index.ts", import.meta.url).href)};
  import { dockerArchive } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
  import { sampleImage } from ${JSON.stringify(import.meta.resolve("@dray/testkit"))};
  const [file, from] = process.argv.slice(2);
  const image = sampleImage({ layers: 1, layerSize: 24_000_000 });
  const bytesOf = (digest) => image.blobs.get(digest) ?? image.manifests.get(digest).bytes;
  let given = Number(from);
  const source = {
    resolve: async () => image.root,
    read: async function* (descriptor, { offset = 0 } = {}) {
      const bytes = bytesOf(descriptor.digest);
      for (let at = offset; at < bytes.byteLength; at += 65536) {
        const chunk = bytes.subarray(at, at + 65536);
        given += chunk.byteLength;
        process.stdout.write(given + "\\n");
        await new Promise((resolve) => setTimeout(resolve, from === "0" ? 1 : 0));
        yield chunk;
      }
    },
  };
  await copy({ store: source, name: "", location: "" }, { store: dockerArchive(file), name: "a:1", location: file });
  process.stdout.write("done\\n");
`;

/** Runs the program above; ends it without warning once so many bytes were given. Tells how many it had given by then. */
const runKilled = async (script: string, file: string, after: number): Promise<{ given: number; done: boolean }> => {
  const child = spawn(process.execPath, [script, file, String(after === Infinity ? 1 : 0)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let given = 0;
  let done = false;
  let rest = "";
  child.stdout.on("data", (data: Buffer) => {
    const lines = (rest + data.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "done") done = true;
      else given = Number(line);
    }
    if (given >= after) child.kill("SIGKILL");
  });
  await once(child, "close");
  return { given, done };
};

test("a process that is killed in the middle loses next to nothing", () =>
  inFolder(async (folder, file) => {
    const script = join(temporaryFolder("killed"), "killed.mjs");
    await writeFile(script, killed);
    try {
      const all = 24_000_000;
      const first = await runKilled(script, file, all / 2);
      assert.equal(first.done, false);
      assert.deepEqual(
        (await readdir(folder)).filter((name) => !name.includes(".lock-")),
        ["x.tar.dray-part"],
      );
      const second = await runKilled(script, file, Infinity);
      assert.ok(second.done);
      assert.deepEqual(await readdir(folder), ["x.tar"]);
      const asked = first.given + second.given;
      // What is in memory is lost: up to two blocks of 1 MiB for a layer on its way.
      assert.ok(asked > all && asked < all * 1.1, `${asked} bytes for an image of ${all}`);
      assert.equal((await entriesOf(await readFile(file))).size, 3);
    } finally {
      await rm(dirname(script), { recursive: true });
    }
  }));

test("a name for what was not written is refused, and nothing is begun for it: what is there is read on", () =>
  inFolder(async (folder, file) => {
    const sample = sampleImage();
    await save([[sample, "app:1"]], file);
    const archive = dockerArchive(file);
    const root = await archive.resolve("");
    await assert.rejects(archive.tag(root, "app:2"), code("UNSUPPORTED", "archives are written whole"));
    assert.deepEqual(await readdir(folder), ["x.tar"]);
    assert.deepEqual(await archive.resolve(""), root);
    await archive.close();
    assert.deepEqual(await readdir(folder), ["x.tar"]);
  }));

test("two writers of one archive exclude each other", () =>
  inFolder(async (folder, file) => {
    const image = sampleImage();
    const first = dockerArchive(file);
    await first.plan(image.root, [
      { descriptor: image.root, kind: "manifest" },
      { descriptor: image.config, kind: "blob" },
    ]);
    await assert.rejects(save([[image, "a"]], file), code("LOCKED", file));
    await first.close({ abort: true });
    assert.deepEqual(await readdir(folder), []);
    await save([[image, "a"]], file);
  }));

test("a folder that may not be written to is said so", async (t) => {
  await inFolder(async (folder, file) => {
    await assert.rejects(save([[sampleImage(), "a"]], folder), code("LOCATION_INVALID", folder));
    await assert.rejects(save([[sampleImage(), "a"]], join(file, "y.tar")), code("DISK", "there is no directory"));
    if (process.getuid?.() === 0) {
      t.diagnostic("root may write everywhere: permissions not tested");
      console.error("writer.test.ts: root may write everywhere: permissions not tested");
      return;
    }
    await chmod(folder, 0o500);
    await assert.rejects(save([[sampleImage(), "a"]], file), code("DISK", "permission denied"));
    await chmod(folder, 0o700);
  });
});

const toStream = async (write: (output: PassThrough) => Promise<void>): Promise<Buffer> => {
  const output = new PassThrough();
  const parts: Buffer[] = [];
  output.on("data", (chunk: Buffer) => parts.push(chunk));
  await write(output);
  return Buffer.concat(parts);
};

const byName = ([a]: [string, Buffer], [b]: [string, Buffer]): number => (a < b ? -1 : 1);

test("a stream holds the same entries as a file, in the order in which they come", () =>
  inFolder(async (_folder, file) => {
    const samples = [
      [sampleImage({ layers: 3, layerSize: 200_000 }), "b:1"],
      [sampleImage({ seed: "other" }), "a:1"],
    ] as const;
    for (const make of [dockerArchive, legacyArchive]) {
      await save(samples, file, make);
      const sent = await toStream((output) => save(samples, "-", make, { output }));
      const [wanted, found] = [await entriesOf(await readFile(file)), await entriesOf(sent)];
      assert.deepEqual(new Map([...found].sort(byName)), new Map([...wanted].sort(byName)));
    }
    assert.deepEqual(
      (await readdir(unfinished)).filter((name) => /^dray-[0-9a-f]{16}/.test(name)),
      [],
    );
  }));

test("a reader that goes away is an error, not a silence", async () => {
  const output = new PassThrough();
  output.once("data", () => output.destroy());
  await assert.rejects(
    save([[sampleImage({ layerSize: 5_000_000 }), "a"]], "-", dockerArchive, { output }),
    code("DISK", "standard output"),
  );
});

test("the old form: a folder for each layer, uncompressed, once; names by repository", () =>
  inFolder(async (folder, file) => {
    const image = sampleImage({ layers: 2 });
    await save(
      [
        [image, "quay.io/team/app:1"],
        [image, `quay.io/team/app@${image.root.digest}`],
      ],
      file,
      legacyArchive,
    );
    const entries = await entriesOf(await readFile(file));
    const saved = list(entries) as { Config: string; RepoTags: string[] | null; Layers: string[] }[];
    assert.deepEqual(
      saved.map(({ RepoTags }) => RepoTags),
      [["quay.io/team/app:1"], null],
    );
    const [{ Config, Layers }] = saved as [(typeof saved)[number]];
    assert.equal(Config, `${hexOf(image.config.digest)}.json`);
    assert.equal(entries.size, 1 + 2 * 3 + 2);
    Layers.forEach((name, i) => {
      const packed = image.blobs.get(image.layers[i]?.digest as Descriptor["digest"]) as Uint8Array;
      assert.deepEqual(entries.get(name), gunzipSync(packed));
      assert.equal(entries.get(name.replace("layer.tar", "VERSION"))?.toString(), "1.0");
    });
    const top = Layers.at(-1)?.split("/")[0];
    assert.deepEqual(JSON.parse((entries.get("repositories") as Buffer).toString()), {
      "quay.io/team/app": { "1": top },
    });
    assert.equal((JSON.parse((entries.get(`${top}/json`) as Buffer).toString()) as { id: string }).id, top);
    assert.deepEqual(await readdir(folder), ["x.tar"]);
    const store = legacyArchive(file);
    assert.equal((await store.resolve("quay.io/team/app:1")).mediaType, mediaTypes.dockerManifest);
    await store.close();
  }));

test("the old form goes on where it broke off as well", () =>
  inFolder(async (folder, file) => {
    const image = sampleImage({ layers: 3, layerSize: 300_000 });
    const store = await storeOf(image);
    const all = [...image.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const first = breaking(store, 500_000);
    await assert.rejects(copy(at(first, image.root.digest), at(legacyArchive(file), "a")), /cable pulled/);
    const second = breaking(store, Infinity);
    await copy(at(second, image.root.digest), at(legacyArchive(file), "a"));
    assert.ok(first.given() + second.given() < all * 1.1 + 2 * image.root.size);
    assert.deepEqual(await readdir(folder), ["x.tar"]);
  }));
