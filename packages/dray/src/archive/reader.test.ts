import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { seededBytes, tar } from "@dray/testkit";
import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import fc from "fast-check";
import { type Given, tarOf } from "../../test/tar-of.ts";
import { collect } from "../content/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { nodeFiles } from "../files/index.ts";
import { type Descriptor, digestOf, hexOf, mediaTypes } from "../oci/index.ts";
import { type ArchiveStore, dockerArchive } from "./index.ts";

const json = (value: unknown): string => JSON.stringify(value);
const layer = (seed: string): Buffer =>
  Buffer.from(tar([{ path: `etc/${seed}`, kind: "file", bytes: seededBytes(seed, 3000) }]));
const [one, two, three] = [layer("one"), layer("two"), layer("three")];
const configOf = (...layers: Buffer[]): string =>
  json({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: layers.map((bytes) => digestOf(bytes)) },
  });
const config = configOf(one, two);
const configFile = `${hexOf(digestOf(Buffer.from(config)))}.json`;

const withStore = async (
  bytes: Uint8Array,
  work: (store: ArchiveStore, file: string) => Promise<void>,
): Promise<void> => {
  const folder = temporaryFolder("read");
  const file = join(folder, "x.tar");
  await writeFile(file, bytes);
  const store = dockerArchive(file);
  try {
    await work(store, file);
  } finally {
    await store.close();
  }
};

const code =
  (wanted: ErrorCode, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(isDrayError(error, wanted), `${String(error)} should be ${wanted}`);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" should name "${word}"`);
    return true;
  };

const load = async (store: ArchiveStore, descriptor: Descriptor): Promise<Buffer> =>
  Buffer.from(await collect(store.read(descriptor), 1e9, descriptor.digest));

interface Found {
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
}
const manifestOf = async (store: ArchiveStore, name = ""): Promise<Found> =>
  JSON.parse((await load(store, await store.resolve(name))).toString()) as Found;

test("an image of many layers does not open the file for all of them at once", () => {
  const layers = Array.from({ length: 200 }, (_, i) => layer(`many ${i}`));
  const bytes = tarOf([
    ...layers.map((body, i) => ({ name: `${i}.tar`, body })),
    { name: "config", body: configOf(...layers) },
    {
      name: "manifest.json",
      body: json([{ Config: "config", RepoTags: null, Layers: layers.map((_, i) => `${i}.tar`) }]),
    },
  ]);
  return withStore(bytes, async (_store, file) => {
    let [open, most] = [0, 0];
    const counting = faultyFiles(nodeFiles, ({ operation }) => {
      if (operation === "open") most = Math.max(most, ++open);
      if (operation === "close") open--;
      return undefined;
    });
    const store = dockerArchive(file, { fs: counting });
    assert.equal((await manifestOf(store)).layers.length, 200);
    await store.close();
    assert.ok(most <= 20, `${most} files were open at once`);
    assert.equal(open, 0);
  });
});

/** What `docker save` wrote before 1.25: folders with old IDs, a link for a layer that an image below it has. */
const saved: Given[] = [
  { name: "aaa/", type: "directory", mode: 0o755 },
  { name: "aaa/VERSION", body: "1.0" },
  { name: "aaa/json", body: "{}" },
  { name: "aaa/layer.tar", body: one },
  { name: "bbb/layer.tar", body: two },
  { name: "ccc/layer.tar", type: "symlink", linkName: "../aaa/layer.tar" },
  { name: configFile, body: config },
  {
    name: "manifest.json",
    body: json([
      { Config: configFile, RepoTags: ["demo:1", "quay.io/team/demo:one"], Layers: ["ccc/layer.tar", "bbb/layer.tar"] },
    ]),
  },
  { name: "repositories", body: "{}" },
];

test("an image that docker saved: Docker's types over its uncompressed layers, all bytes as they lie", () =>
  withStore(tarOf(saved), async (store) => {
    const root = await store.resolve("");
    assert.equal(root.mediaType, mediaTypes.dockerManifest);
    assert.equal(
      (await load(store, root)).toString(),
      json({
        schemaVersion: 2,
        mediaType: mediaTypes.dockerManifest,
        config: { mediaType: mediaTypes.dockerConfig, size: config.length, digest: digestOf(Buffer.from(config)) },
        layers: [one, two].map((bytes) => ({
          mediaType: "application/vnd.docker.image.rootfs.diff.tar",
          size: bytes.byteLength,
          digest: digestOf(bytes),
        })),
      }),
    );
    const found = await manifestOf(store);
    assert.equal((await load(store, found.config)).toString(), config);
    assert.deepEqual(await Promise.all(found.layers.map((descriptor) => load(store, descriptor))), [one, two]);
    const [first] = found.layers;
    assert.ok(first);
    assert.deepEqual(Buffer.from(await collect(store.read(first, { offset: 1000 }), 1e9, "x")), one.subarray(1000));
  }));

test("it is found by each of its names, in any spelling, by position, by manifest and by image ID", () =>
  withStore(tarOf(saved), async (store) => {
    const root = await store.resolve("");
    for (const name of [
      "demo:1",
      "docker.io/library/demo:1",
      "index.docker.io/library/demo:1",
      "quay.io/team/demo:one",
      "@0",
      root.digest,
      digestOf(Buffer.from(config)),
    ])
      assert.deepEqual(await store.resolve(name), root, name);
    for (const name of ["demo", "demo:2", "quay.io/demo:1", "@1", digestOf(one)])
      await assert.rejects(store.resolve(name), code("NOT_FOUND", name, "demo:1 = quay.io/team/demo:one"), name);
    const tags: string[] = [];
    for await (const tag of store.tags()) tags.push(tag);
    assert.deepEqual(tags, ["demo:1", "quay.io/team/demo:one"]);
  }));

test("the same image in other clothes has the same manifest", async () => {
  let wanted: Descriptor | undefined;
  await withStore(tarOf(saved), async (store) => {
    wanted = await store.resolve("");
  });
  const dotted = saved.map((entry) => ({ ...entry, name: `./${entry.name}` }));
  const [list] = saved.filter(({ name }) => name === "manifest.json");
  const first = [list as Given, ...saved.filter((entry) => entry !== list)];
  const hard = saved.map(
    (entry): Given =>
      entry.type === "symlink" ? { name: entry.name, type: "hardlink", linkName: "aaa/layer.tar" } : entry,
  );
  const twice = [...saved, { name: configFile, body: config }];
  const cases: [string, Uint8Array][] = [
    ["names with ./ in front", tarOf(dotted)],
    ["manifest.json first", tarOf(first)],
    ["a hard link", tarOf(hard)],
    ["the same entry twice", tarOf(twice)],
    ["compressed as a whole with gzip", gzipSync(tarOf(saved))],
    ["compressed as a whole with zstd", zstdCompressSync(tarOf(saved))],
  ];
  for (const [what, bytes] of cases)
    await withStore(bytes, async (store) => {
      const found = await manifestOf(store);
      assert.deepEqual(await store.resolve("demo:1"), wanted, what);
      assert.deepEqual(await Promise.all(found.layers.map((descriptor) => load(store, descriptor))), [one, two], what);
    });
});

test("what Docker 25 and later save is an OCI layout as well: the layers that LayerSources and blobs/ name", () => {
  const blob = (bytes: Uint8Array): string => `blobs/sha256/${hexOf(digestOf(bytes))}`;
  const packed = gzipSync(two);
  const entries: Given[] = [
    { name: "blobs/", type: "directory" },
    { name: blob(Buffer.from(config)), body: config },
    { name: blob(one), body: one },
    { name: blob(packed), body: packed },
    { name: "index.json", body: "{}" },
    {
      name: "manifest.json",
      body: json([
        {
          Config: blob(Buffer.from(config)),
          RepoTags: null,
          Layers: [blob(one), blob(packed)],
          LayerSources: {
            [digestOf(one)]: { mediaType: mediaTypes.ociLayer, size: one.byteLength, digest: digestOf(one) },
          },
        },
      ]),
    },
    { name: "oci-layout", body: "{}" },
  ];
  return withStore(tarOf(entries), async (store) => {
    const found = await manifestOf(store);
    assert.deepEqual(
      found.layers.map(({ mediaType, digest }) => [mediaType, digest]),
      [
        [mediaTypes.dockerLayer, digestOf(one)],
        [mediaTypes.dockerLayerGzip, digestOf(packed)],
      ],
    );
    assert.deepEqual(await Promise.all(found.layers.map((descriptor) => load(store, descriptor))), [one, packed]);
    const tags: string[] = [];
    for await (const tag of store.tags()) tags.push(tag);
    assert.deepEqual(tags, []);
  });
});

const imageOf = (files: readonly [string, Uint8Array][], text = config, more: object = {}): Given[] => [
  { name: "config.json", body: text },
  ...files.map(([name, body]) => ({ name, body })),
  {
    name: "manifest.json",
    body: json([{ Config: "config.json", RepoTags: ["a:1"], Layers: files.map(([name]) => name), ...more }]),
  },
];

test("compressed layers get the digest of their bytes, whatever their names promise", () => {
  const [a, b] = [gzipSync(one), gzipSync(two)];
  return withStore(
    tarOf(
      imageOf([
        [`${hexOf(digestOf(one))}.tar.gz`, a],
        ["two.tar.gz", b],
      ]),
    ),
    async (store) => {
      const found = await manifestOf(store);
      assert.deepEqual(
        found.layers.map(({ digest, size }) => [digest, size]),
        [a, b].map((bytes) => [digestOf(bytes), bytes.byteLength]),
      );
      assert.ok(found.layers.every(({ mediaType }) => mediaType === mediaTypes.dockerLayerGzip));
    },
  );
});

test("a layer in zstd makes it an OCI image: Docker's schema 2 knows none", () =>
  withStore(
    tarOf(
      imageOf([
        ["1", one],
        ["2", zstdCompressSync(two)],
      ]),
    ),
    async (store) => {
      const found = await manifestOf(store);
      assert.deepEqual(
        [found.mediaType, found.config.mediaType, ...found.layers.map(({ mediaType }) => mediaType)],
        [mediaTypes.ociManifest, mediaTypes.ociConfig, mediaTypes.ociLayer, mediaTypes.ociLayerZstd],
      );
    },
  ));

test("layers that lie elsewhere by licence keep their descriptor, here or not", async () => {
  const foreign: Descriptor = {
    mediaType: mediaTypes.dockerForeignLayer,
    size: 5,
    digest: digestOf(Buffer.from("there")),
    urls: ["https://example.com/layer?a=1&b=2"],
  };
  const more = { LayerSources: { [digestOf(one)]: foreign } };
  await withStore(
    tarOf(
      imageOf(
        [
          ["1", Buffer.from("there")],
          ["2", two],
        ],
        config,
        more,
      ),
    ),
    async (store) => {
      const found = await manifestOf(store);
      assert.deepEqual(found.layers[0], foreign);
      assert.equal((await load(store, foreign)).toString(), "there");
    },
  );
  const absent = imageOf(
    [
      ["1", Buffer.from("there")],
      ["2", two],
    ],
    config,
    more,
  ).filter(({ name }) => name !== "1");
  await withStore(tarOf(absent), async (store) => {
    assert.deepEqual((await manifestOf(store)).layers[0], foreign);
    await assert.rejects(load(store, foreign), code("NOT_FOUND", foreign.digest));
  });
});

test("several images share layers; without a name it must be said which", () => {
  const second = configOf(one, three);
  const entries: Given[] = [
    { name: "1.json", body: config },
    { name: "2.json", body: second },
    ...[one, two, three].map((body, i) => ({ name: `${i}.tar`, body })),
    {
      name: "manifest.json",
      body: json([
        { Config: "1.json", RepoTags: ["a:1"], Layers: ["0.tar", "1.tar"] },
        { Config: "2.json", RepoTags: null, Layers: ["0.tar", "2.tar"] },
        { Config: "1.json", RepoTags: ["a:latest"], Layers: ["0.tar", "1.tar"] },
      ]),
    },
  ];
  return withStore(tarOf(entries), async (store, file) => {
    assert.deepEqual(await store.resolve("a"), await store.resolve("a:1"));
    assert.notDeepEqual(await store.resolve("@1"), await store.resolve("a:1"));
    const found = await manifestOf(store, "@1");
    assert.deepEqual(await Promise.all(found.layers.map((descriptor) => load(store, descriptor))), [one, three]);
    await assert.rejects(
      store.resolve(""),
      code("USAGE", "2 images", "a:1, @1, a:latest", `docker-archive:${file}:a:1`),
    );
  });
});

test("one image under several names needs no name", () => {
  const [image] = JSON.parse(json([{ Config: "config.json", Layers: ["1", "2"] }])) as [object];
  const list = json([
    { ...image, RepoTags: ["a:1"] },
    { ...image, RepoTags: ["a:2"] },
  ]);
  const entries = imageOf([
    ["1", one],
    ["2", two],
  ]).map((entry) => (entry.name === "manifest.json" ? { ...entry, body: list } : entry));
  return withStore(tarOf(entries), async (store) => {
    assert.deepEqual(await store.resolve(""), await store.resolve("a:2"));
  });
});

test("an image without layers, and one whose layer comes twice", async () => {
  await withStore(tarOf(imageOf([], configOf())), async (store) =>
    assert.deepEqual((await manifestOf(store)).layers, []),
  );
  const entries: Given[] = [
    { name: "c", body: configOf(one, one) },
    { name: "l", body: one },
    { name: "manifest.json", body: json([{ Config: "c", RepoTags: [], Layers: ["l", "l"] }]) },
  ];
  await withStore(tarOf(entries), async (store) =>
    assert.deepEqual(
      (await manifestOf(store)).layers.map(({ digest }) => digest),
      [digestOf(one), digestOf(one)],
    ),
  );
});

/** With a wrong byte in the middle. */
const flipped = (bytes: Buffer): Buffer => {
  const at = bytes.byteLength >> 1;
  return Buffer.concat([bytes.subarray(0, at), Buffer.of((bytes[at] ?? 0) ^ 0xff), bytes.subarray(at + 1)]);
};

test("damaged and hostile archives: a line that names the archive and the thing", async () => {
  const list = (value: unknown): Given => ({
    name: "manifest.json",
    body: typeof value === "string" ? value : json(value),
  });
  const files: [string, Uint8Array][] = [
    ["1", one],
    ["2", two],
  ];
  const without = (name: string): Given[] => imageOf(files).filter((entry) => entry.name !== name);
  const cases: [string, Buffer, ErrorCode, string[]][] = [
    ["no tar", Buffer.from("x".repeat(2000)), "ARCHIVE_INVALID", ["no tar"]],
    ["nothing", Buffer.alloc(0), "ARCHIVE_INVALID", ["is empty"]],
    ["no list", tarOf([{ name: "a", body: "b" }]), "ARCHIVE_INVALID", ["manifest.json"]],
    ["an OCI archive", tarOf([{ name: "index.json", body: "{}" }]), "ARCHIVE_INVALID", ["oci-archive:"]],
    ["before Docker 1.10", tarOf([{ name: "repositories", body: "{}" }]), "UNSUPPORTED", ["1.10"]],
    ["no JSON", tarOf([list("[{")]), "ARCHIVE_INVALID", ["manifest.json"]],
    ["a JSON bomb", tarOf([list("[".repeat(100_000))]), "LIMIT_EXCEEDED", ["levels"]],
    ["a list of 17 MiB", tarOf([list(" ".repeat(17 * 1024 * 1024))]), "LIMIT_EXCEEDED", ["manifest.json"]],
    ["no list of images", tarOf([list({})]), "ARCHIVE_INVALID", ["no list of images"]],
    ["no image", tarOf([list([3])]), "ARCHIVE_INVALID", ["[0] is no image"]],
    ["no config", tarOf([list([{ Layers: [] }])]), "ARCHIVE_INVALID", ["names no config"]],
    ["odd names", tarOf([list([{ Config: "c", RepoTags: "x" }])]), "ARCHIVE_INVALID", ["RepoTags"]],
    ["odd layers", tarOf([list([{ Config: "c", Layers: [1] }])]), "ARCHIVE_INVALID", ["Layers"]],
    [
      "odd sources",
      tarOf([list([{ Config: "c", LayerSources: { [digestOf(one)]: 1 } }])]),
      "ARCHIVE_INVALID",
      ["LayerSources"],
    ],
    ["no image at all", tarOf([list([])]), "NOT_FOUND", ["no image"]],
    ["the config is missing", tarOf(without("config.json")), "ARCHIVE_INVALID", ["config.json"]],
    ["a layer is missing", tarOf(without("2")), "ARCHIVE_INVALID", ['"2"', "layer"]],
    [
      "a compressed layer with a wrong byte",
      tarOf(
        imageOf([
          ["1", flipped(gzipSync(one))],
          ["2", two],
        ]),
      ),
      "ARCHIVE_INVALID",
      ['"1"'],
    ],
    [
      "a compressed layer of another image",
      tarOf(
        imageOf([
          ["1", gzipSync(three)],
          ["2", two],
        ]),
      ),
      "ARCHIVE_INVALID",
      ['"1"', "damaged"],
    ],
    [
      "a compressed layer that ends early",
      tarOf(
        imageOf([
          ["1", one],
          ["2", gzipSync(two).subarray(0, -9)],
        ]),
      ),
      "ARCHIVE_INVALID",
      ['"2"', "gzip"],
    ],
    ["fewer layers than diffIDs", tarOf(imageOf([["1", one]])), "ARCHIVE_INVALID", ["1 layers", "2 rootfs.diff_ids"]],
    ["more layers than diffIDs", tarOf(imageOf([...files, ["3", three]])), "ARCHIVE_INVALID", ["3 layers"]],
    ["a config without rootfs", tarOf(imageOf(files, "{}")), "ARCHIVE_INVALID", ["0 rootfs.diff_ids"]],
    ["a config that is no JSON", tarOf(imageOf(files, "{")), "ARCHIVE_INVALID", ["config.json"]],
    [
      "diffIDs that are none",
      tarOf(imageOf(files, json({ rootfs: { diff_ids: ["x", "y"] } }))),
      "ARCHIVE_INVALID",
      ["diff_ids"],
    ],
    [
      "a config that is not what its name says",
      tarOf([
        { name: configFile, body: `${config} ` },
        { name: "1", body: one },
        { name: "2", body: two },
        list([{ Config: configFile, Layers: ["1", "2"] }]),
      ]),
      "ARCHIVE_INVALID",
      [configFile, "damaged"],
    ],
    ["two lists", tarOf([...imageOf(files), list([])]), "ARCHIVE_INVALID", ["manifest.json", "differ"]],
    [
      "a name outside",
      tarOf([...imageOf(files), { name: "../../etc/cron.d/x" }]),
      "ARCHIVE_INVALID",
      ["../../etc/cron.d/x"],
    ],
    ["an absolute name", tarOf([...imageOf(files), { name: "/etc/passwd" }]), "ARCHIVE_INVALID", ["/etc/passwd"]],
    ["a list that names a file outside", tarOf([list([{ Config: "../c", Layers: [] }])]), "ARCHIVE_INVALID", ["../c"]],
    [
      "a circle of links",
      tarOf([
        ...without("2"),
        { name: "2", type: "symlink", linkName: "3" },
        { name: "3", type: "symlink", linkName: "2" },
      ]),
      "ARCHIVE_INVALID",
      ["circle", '"2"'],
    ],
    ["cut in the middle", tarOf(imageOf(files)).subarray(0, 3000), "ARCHIVE_INVALID", ["truncated", '"1"']],
  ];
  for (const [what, bytes, wanted, words] of cases)
    await withStore(bytes, async (store, file) => {
      await assert.rejects(store.resolve(""), code(wanted, file, ...words), what);
    });
});

test("whatever bytes are damaged or missing: the right content, or an error that says so", async () => {
  const whole = tarOf(saved);
  const damage = fc.oneof(
    fc.record({ at: fc.nat(whole.byteLength - 1), mask: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ cut: fc.nat(whole.byteLength) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
      let bytes = Buffer.from(whole);
      for (const done of damages) {
        if ("cut" in done) bytes = bytes.subarray(0, done.cut);
        else if (done.at < bytes.byteLength) bytes[done.at] = (bytes[done.at] as number) ^ done.mask;
      }
      await withStore(bytes, async (store) => {
        try {
          const found = await manifestOf(store);
          assert.deepEqual(await Promise.all(found.layers.map((descriptor) => load(store, descriptor))), [one, two]);
          assert.equal((await load(store, found.config)).toString(), config);
        } catch (error) {
          assert.ok(isDrayError(error), String(error));
        }
      });
    }),
    { numRuns: 200 },
  );
});

test("a layer that does not have the digest its config promises is found out when it is read", () =>
  withStore(
    tarOf(
      imageOf([
        ["1", three],
        ["2", two],
      ]),
    ),
    async (store, file) => {
      const found = await manifestOf(store);
      const [first] = found.layers as [Descriptor];
      await assert.rejects(load(store, first), code("DIGEST_MISMATCH", file, 'entry "1"', digestOf(one)));
      // Whoever checks for himself gets the bytes.
      assert.deepEqual(Buffer.from(await collect(store.read(first, { verify: false }), 1e9, "x")), three);
      await assert.rejects(load(store, { ...first, size: 5 }), code("SIZE_MISMATCH"));
    },
  ));

test("standard input is read like a file", async () => {
  const input = (async function* () {
    yield tarOf(saved);
  })();
  const store = dockerArchive("-", { input });
  const found = await manifestOf(store, "demo:1");
  assert.deepEqual(await Promise.all(found.layers.map((descriptor) => load(store, descriptor))), [one, two]);
  await store.close();
});

test("what standard input turns out to be is named as a location that can be read", async () => {
  const input = (async function* () {
    yield tarOf([{ name: "index.json", body: "{}" }]);
  })();
  await assert.rejects(dockerArchive("-", { input }).resolve(""), /; read it as oci-archive:-$/);
});

test("a cancelled look at an archive can be repeated", () =>
  withStore(
    tarOf(
      imageOf([
        ["1", gzipSync(one)],
        ["2", two],
      ]),
    ),
    async (store) => {
      const cancel = new AbortController();
      cancel.abort();
      await assert.rejects(store.resolve("", { signal: cancel.signal }), code("ABORTED"));
      assert.equal((await manifestOf(store)).layers.length, 2);
    },
  ));
