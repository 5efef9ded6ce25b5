/** Archives in the eyes of the tools that people have, and theirs in ours. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type Listener,
  listen,
  type MemoryRegistry,
  memoryRegistry,
  put,
  type Sample,
  sampleImage,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { findPeer, succeed } from "@dray/testkit/peers";
import { bytesContent, collect, type Located, type MemoryStore, memoryStore } from "../content/index.ts";
import { copyAll } from "../copy/index.ts";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { readEntries } from "../tar/index.ts";
import { dockerArchive, legacyArchive } from "./index.ts";

const [crane, skopeo] = ["crane", "skopeo"].map(findPeer);

let folder = "";
let registry: MemoryRegistry;
let server: Listener;
before(async () => {
  folder = temporaryFolder("archive-peers");
  registry = memoryRegistry();
  server = await listen(registry.handler);
});
after(async () => {
  await server.close();
});

const at = <S>(store: S, name: string): Located<S> => ({ store, name, location: `test:${name}` });

const storeOf = async (samples: readonly Sample[]): Promise<MemoryStore> => {
  const store = memoryStore();
  const add = (mediaType: string, bytes: Uint8Array): Promise<void> =>
    store.write({ mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytesContent(bytes));
  for (const { blobs, manifests, root } of samples) {
    for (const bytes of blobs.values()) await add("application/octet-stream", bytes);
    for (const { mediaType, bytes } of manifests.values()) await add(mediaType, bytes);
    await store.tag(root, root.digest);
  }
  return store;
};

/** An image with another config over the layers of a sample. */
const withConfig = (
  image: Sample & { config: Descriptor; layers: readonly Descriptor[] },
  change: object,
  layers = image.layers,
): Sample => {
  const old = JSON.parse(Buffer.from(image.blobs.get(image.config.digest) as Uint8Array).toString()) as object;
  const config = encodeJson({ ...old, ...change });
  const descriptor = { ...image.config, digest: digestOf(config), size: config.byteLength };
  const bytes = encodeJson({ schemaVersion: 2, mediaType: image.root.mediaType, config: descriptor, layers });
  const root = { ...image.root, digest: digestOf(bytes), size: bytes.byteLength };
  return {
    root,
    blobs: new Map([...image.blobs, [descriptor.digest, config]]),
    manifests: new Map([[root.digest, { mediaType: root.mediaType, bytes }]]),
  };
};

const rich = sampleImage({ seed: "rich", layers: 2 });
const one = sampleImage({ seed: "one", layers: 1 });
const samples: Record<string, Sample> = {
  oci: sampleImage({ seed: "oci", layers: 3, layerSize: 50_000 }),
  docker: sampleImage({ seed: "docker", docker: true }),
  zstd: sampleImage({ seed: "zstd", compression: "zstd" }),
  plain: sampleImage({ seed: "plain", compression: "none" }),
  twice: withConfig(
    one,
    { rootfs: { type: "layers", diff_ids: [one.diffIDs[0], one.diffIDs[0]] }, history: [{}, {}] },
    [one.layers[0] as Descriptor, one.layers[0] as Descriptor],
  ),
  rich: withConfig(rich, {
    author: "A <a@example.com> & co",
    container: "c0ffee",
    docker_version: "20.10",
    variant: "v8",
    created: "2024-02-03T04:05:06.120000000+00:00",
    config: {
      Env: ["A=<b>&c", "LINE=\u2028"],
      Labels: { "10": "ten", "9": "nine", é: "e", z: "" },
      Entrypoint: ["/bin/sh", "-c"],
      Cmd: [],
      User: "nobody",
      ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
      Volumes: { "/data": {} },
      Healthcheck: { Test: ["CMD", "true"], Interval: 30000000000, StartInterval: 5 },
      ArgsEscaped: true,
      Tty: false,
      Unknown: "left out",
    },
    history: [
      { created: "2024-01-01T00:00:00.5+02:00", created_by: "RUN <<EOF && x", comment: "buildkit" },
      { created: "2024-01-01T00:00:00Z", created_by: "ENV", empty_layer: true },
      { created_by: "COPY", author: "me" },
    ],
  }),
  "no-history": withConfig(rich, { history: undefined }),
};

/** The names are those of the samples, in a repository each. */
const reference = (name: string, what: "tag" | "digest" = "tag"): string =>
  `${server.host}/demo/${name}${what === "tag" ? ":v1" : `@${samples[name]?.root.digest}`}`;

const ours = async (
  make: typeof dockerArchive,
  file: string,
  pulls: readonly (readonly [string, string])[],
): Promise<void> => {
  const source = await storeOf(pulls.map(([name]) => samples[name] as Sample));
  const target = make(file);
  const { outcomes } = await copyAll(
    pulls.map(([name, ref]) => ({
      source: at(source, (samples[name] as Sample).root.digest),
      target: at(target, ref),
    })),
  );
  for (const { error } of outcomes) if (error !== undefined) throw error;
};

const entriesOf = async (file: string): Promise<[string, string][]> => {
  const found = new Map<string, string>();
  const bytes = await readFile(file);
  const chunks = (async function* () {
    yield bytes;
  })();
  for await (const { name, body } of readEntries(chunks)) found.set(name, digestOf(await collect(body, 1e9, name)));
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
};

describe("crane", { skip: crane === undefined ? "crane is missing" : false }, () => {
  before(() => {
    for (const [name, sample] of Object.entries(samples)) put(registry, `demo/${name}`, "v1", sample);
  });
  const pull = (args: string[]): Promise<string> => succeed([crane as string, "pull", "--insecure", ...args]);

  for (const [format, make] of [
    ["tarball", dockerArchive],
    ["legacy", legacyArchive],
  ] as const)
    for (const name of Object.keys(samples))
      for (const what of ["tag", "digest"] as const)
        test(`pulls the same bytes: ${format}, ${name}, by ${what}`, async () => {
          const [theirs, own] = [join(folder, "theirs.tar"), join(folder, "ours.tar")];
          await pull(["--format", format, reference(name, what), theirs]);
          await ours(make, own, [[name, reference(name, what)]]);
          assert.deepEqual(await entriesOf(own), await entriesOf(theirs));
          assert.ok((await readFile(own)).equals(await readFile(theirs)), "entries are the same, headers are not");
        });

  for (const [format, make] of [
    ["tarball", dockerArchive],
    ["legacy", legacyArchive],
  ] as const)
    test(`pulls the same entries of several images: ${format}`, async () => {
      const names = ["docker", "oci", "rich", "docker"] as const;
      const references = names.map((name, i) => reference(name, i === 3 ? "digest" : "tag"));
      const [theirs, own] = [join(folder, "theirs.tar"), join(folder, "ours.tar")];
      await pull(["--format", format, ...references, theirs]);
      await ours(
        make,
        own,
        names.map((name, i) => [name, references[i] as string]),
      );
      const lists = async (file: string): Promise<unknown> => {
        const list = (await succeed(["tar", "-xOf", file, "--occurrence=1", "manifest.json"])) || "[]";
        return (JSON.parse(list) as { RepoTags: string[] | null }[]).sort((a, b) =>
          String(a.RepoTags) < String(b.RepoTags) ? -1 : 1,
        );
      };
      assert.deepEqual(await lists(own), await lists(theirs));
      // Images of one config come in any order there, so the list's bytes may differ.
      const others = async (file: string): Promise<unknown> =>
        (await entriesOf(file)).filter(([name]) => name !== "manifest.json");
      assert.deepEqual(await others(own), await others(theirs));
    });

  for (const name of ["docker", "oci", "rich", "twice"])
    test(`gives ${name} the same manifest when it reads an archive`, async () => {
      const file = join(folder, "read.tar");
      await ours(dockerArchive, file, [[name, reference(name)]]);
      const store = dockerArchive(file);
      const { digest } = await store.resolve("");
      await store.close();
      assert.equal((await succeed([crane as string, "digest", "--tarball", file])).trim(), digest);
    });

  test("validates what we wrote", async () => {
    const file = join(folder, "valid.tar");
    await ours(dockerArchive, file, [["docker", reference("docker")]]);
    assert.match(await succeed([crane as string, "validate", "--tarball", file]), /^PASS/);
  });
});

describe("skopeo", { skip: skopeo === undefined ? "skopeo is missing" : false }, () => {
  const run = (args: string[]): Promise<string> => succeed([skopeo as string, "--insecure-policy", ...args]);

  for (const [form, make] of [
    ["as docker saves now", dockerArchive],
    ["in the old form", legacyArchive],
  ] as const)
    for (const name of ["docker", "oci", "rich", "plain"])
      test(`reads ${name} ${form}`, async () => {
        const file = join(folder, "skopeo.tar");
        await ours(make, file, [[name, "quay.io/team/app:1"]]);
        const found = JSON.parse(await run(["inspect", `docker-archive:${file}:quay.io/team/app:1`])) as {
          Architecture: string;
        };
        assert.equal(found.Architecture, "amd64");
        await run(["copy", `docker-archive:${file}`, `dir:${join(folder, `dir-${name}`)}`]);
      });

  test("what it writes is read, image by image", async () => {
    const from = join(folder, "from.tar");
    const file = join(folder, "written.tar");
    await ours(dockerArchive, from, [["docker", "quay.io/team/a:1"]]);
    await run(["copy", `docker-archive:${from}`, `docker-archive:${file}:quay.io/team/b:2`]);
    const store = dockerArchive(file);
    const root = await store.resolve("quay.io/team/b:2");
    assert.equal(root.mediaType, mediaTypes.dockerManifest);
    const manifest = JSON.parse(Buffer.from(await collect(store.read(root), 1e6, "m")).toString()) as {
      layers: Descriptor[];
    };
    const { diffIDs } = sampleImage({ seed: "docker", docker: true });
    // It writes layers uncompressed.
    assert.deepEqual(
      manifest.layers.map(({ digest, mediaType }) => [digest, mediaType]),
      diffIDs.map((id) => [id, mediaTypes.dockerLayer]),
    );
    for (const layer of manifest.layers) await collect(store.read(layer), 1e9, layer.digest);
    await store.close();
  });
});
