/** eStargz layers that Dray wrote, in the eyes of the reader of its authors, of GNU gzip and tar, and of crane. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, createWriteStream, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, describe, test } from "node:test";
import { listen, memoryRegistry, seededBytes } from "@dray/testkit";
import { findPeer, succeed } from "@dray/testkit/peers";
import { connect, copy, memoryStore, viewOf } from "dray";
import { put, type ReadableStore } from "dray/content";
import { appended, edit, emptyImage, ingestLayer, type NewLayer } from "dray/image";
import { mediaTypes } from "dray/oci";
import { missing, type Sandbox, workshop } from "../dray.ts";
import { estargzJudge } from "../estargz/judge.ts";
import { sameFiles } from "./same-files.ts";

const judge = await estargzJudge();
const crane = findPeer("crane");

let shop: Sandbox;
/** The files, and tars of them in each form that GNU tar writes. */
const forms = ["gnu", "posix", "ustar", "sparse"] as const;

before(async () => {
  shop = await workshop();
  const tree = shop.path("tree");
  mkdirSync(join(tree, "usr/share/empty"), { recursive: true });
  writeFileSync(join(tree, "usr/one"), "1");
  writeFileSync(join(tree, "usr/none"), "");
  writeFileSync(join(tree, "usr/large"), seededBytes("judge", 300_000));
  writeFileSync(join(tree, "usr/exact"), Buffer.alloc(65_536, "text "));
  writeFileSync(join(tree, "usr/setuid"), "#!/bin/sh\n", { mode: 0o4755 });
  writeFileSync(join(tree, "usr/share/ümläut"), "name");
  linkSync(join(tree, "usr/large"), join(tree, "usr/share/hard"));
  symlinkSync("../usr/one", join(tree, "usr/soft"));
  const pack = (form: string, ...flags: string[]): Promise<string> =>
    succeed(["tar", "-C", tree, ...flags, "-cf", shop.path(`${form}.tar`), "usr"]);
  for (const form of ["gnu", "posix", "ustar"]) await pack(form, `--format=${form}`);
  cpSync(join(tree, "usr/one"), join(tree, "usr/sparse"));
  await succeed(["truncate", "-s", "200000", join(tree, "usr/sparse")]);
  writeFileSync(join(tree, "usr", "n".repeat(200)), "long");
  await pack("sparse", "-S", "--format=posix");
});
after(() => shop.close());

/** A layer of it in a layout, and the blob's file. */
const written = async (
  form: string,
  estargz: { chunkSize?: number; prioritized?: readonly string[] },
): Promise<{ readonly layer: NewLayer; readonly blob: string }> => {
  const store = memoryStore();
  const layer = await ingestLayer(store, shop.path(`${form}.tar`), { estargz });
  const blob = shop.path(`${form}.tgz`);
  await pipeline(Readable.from(store.read(layer.descriptor)), createWriteStream(blob));
  return { layer, blob };
};

const annotation = "containerd.io/snapshot/stargz/toc.digest";

describe("the reader of its authors", { skip: missing(["estargz-judge", judge]) }, () => {
  for (const form of forms)
    for (const estargz of [{}, { chunkSize: 65_536 }, { chunkSize: 1000, prioritized: ["usr/share/hard", "/usr/one"] }])
      test(`has every file of a ${form} tar, each chunk as its digest says, ${JSON.stringify(estargz)}`, async () => {
        const { layer, blob } = await written(form, estargz);
        const said = await succeed([judge ?? "", blob, layer.descriptor.annotations?.[annotation] ?? ""]);
        const entries = said
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as { name: string; sum?: string; type: string });
        const found = new Map(entries.map(({ name, sum }) => [name, sum]));
        const listed = await succeed(["tar", "-tf", shop.path(`${form}.tar`), "--quoting-style=literal"]);
        const names = listed
          .trim()
          .split("\n")
          .map((name) => name.replace(/\/$/, ""));
        const landmark = estargz.prioritized === undefined ? ".no.prefetch.landmark" : ".prefetch.landmark";
        assert.deepEqual([...found.keys()].sort(), [landmark, ...names].sort());
        for (const [name, sum] of found)
          if (sum !== undefined && name !== landmark)
            assert.equal(
              sum,
              `sha256:${createHash("sha256")
                .update(await readFile(shop.path("tree", name)))
                .digest("hex")}`,
              name,
            );
      });

  test("refuses one whose table is another", async () => {
    const { blob } = await written("gnu", {});
    await assert.rejects(succeed([judge ?? "", blob, `sha256:${"0".repeat(64)}`]), /invalid TOC JSON/);
  });
});

/** A store that gives no blob whole: what is read of it is read by its table of contents. */
const partsOnly = (store: ReadableStore): ReadableStore => ({
  resolve: (name) => store.resolve(name),
  read: (descriptor, options) => {
    assert.ok(options?.length !== undefined && options.length < descriptor.size, "a part is enough");
    return store.read(descriptor, options);
  },
});

describe("what its authors write", { skip: missing(["estargz-judge", judge]) }, () => {
  // Of a sparse file they write other bytes than it has.
  for (const form of forms.filter((each) => each !== "sparse"))
    for (const [chunkSize, minChunkSize] of [
      [4_194_304, 0],
      [50_000, 0],
      [50_000, 100_000],
    ] as const)
      test(`is read file by file, of a ${form} tar in chunks of ${chunkSize}, members of ${minChunkSize}`, async () => {
        const blob = shop.path(`theirs-${form}.tgz`);
        const words = [judge ?? "", shop.path(`${form}.tar`), blob, `${chunkSize}`, `${minChunkSize}`];
        const tocDigest = (await succeed(words)).trim();
        const store = memoryStore();
        const descriptor = await put(store, await readFile(blob), { mediaType: mediaTypes.ociLayerGzip });
        const layer = {
          descriptor: { ...descriptor, annotations: { [annotation]: tocDigest } },
          diffID: descriptor.digest,
          compression: "gzip" as const,
          store: partsOnly(store),
        };
        const { store: changed, root } = await edit(await emptyImage(), appended([{ layer }]));
        const image = await viewOf(changed, root);
        assert.ok(image.kind === "image");
        assert.equal(await sameFiles(image, "/usr", (path) => shop.path("tree", path)), 7);
      });
});

describe("GNU gzip and tar", () => {
  for (const form of forms)
    test(`unpack what was a ${form} tar`, async () => {
      const { blob } = await written(form, { chunkSize: 10_000 });
      await succeed(["gzip", "-t", blob]);
      const [ours, theirs] = [shop.path(`${form}-ours`), shop.path(`${form}-theirs`)];
      for (const [dir, tar] of [
        [ours, blob],
        [theirs, shop.path(`${form}.tar`)],
      ] as const) {
        mkdirSync(dir);
        await succeed(["tar", "-xf", tar, "-C", dir]);
      }
      await succeed(["diff", "-r", "--no-dereference", join(theirs, "usr"), join(ours, "usr")]);
      const facts = (dir: string): Promise<string> =>
        succeed(["find", "usr", "-printf", "%p %y %m %U %G %T@ %n %l\\n"], { cwd: dir }).then((said) =>
          said.split("\n").sort().join("\n"),
        );
      assert.equal(await facts(ours), await facts(theirs));
    });
});

test("crane finds digests and diffIDs right, and the annotation where it belongs", {
  skip: missing(["crane", crane]),
}, async () => {
  const registry = await listen(memoryRegistry().handler);
  try {
    const store = connect(registry.host).repository("app");
    const layer = await ingestLayer(store, shop.path("posix.tar"), { estargz: {} });
    const { store: changed, root } = await edit(await emptyImage(), appended([{ layer }]));
    await copy(
      { store: changed, name: root.digest, location: "the image" },
      { store, name: "1", location: "the registry" },
    );
    const name = `${registry.host}/app:1`;
    assert.match(await succeed([crane ?? "", "validate", "--remote", name]), /^PASS/);
    const { layers } = JSON.parse(await succeed([crane ?? "", "manifest", name]));
    assert.match(layers[0].annotations[annotation], /^sha256:/);
    assert.equal(
      layers[0].annotations["io.containers.estargz.uncompressed-size"],
      layer.descriptor.annotations?.["io.containers.estargz.uncompressed-size"],
    );
  } finally {
    await registry.close();
  }
});
