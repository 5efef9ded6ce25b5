import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Sample, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { findPeer, succeed } from "@dray/testkit/peers";
import { tarOf } from "../../test/tar-of.ts";
import {
  bytesContent,
  collect,
  type Located,
  type MemoryStore,
  memoryStore,
  type ReadableStore,
} from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { annotationKeys, type Descriptor, digestOf, hexOf, type Index, mediaTypes } from "../oci/index.ts";
import { type NewEntry, readEntries } from "../tar/index.ts";
import { layoutStore, ociArchive } from "./index.ts";

const at = <S>(store: S, name: string): Located<S> => ({ store, name, location: `test:${name}` });

const storeOf = async ({ blobs, manifests, root }: Sample): Promise<MemoryStore> => {
  const store = memoryStore();
  const add = (mediaType: string, bytes: Uint8Array): Promise<void> =>
    store.write({ mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytesContent(bytes));
  for (const bytes of blobs.values()) await add("application/octet-stream", bytes);
  for (const { mediaType, bytes } of manifests.values()) await add(mediaType, bytes);
  await store.tag(root, "source");
  return store;
};

const inFolder = async (work: (folder: string, file: string) => Promise<void>): Promise<void> => {
  const folder = temporaryFolder("oci-archive");
  await work(folder, join(folder, "x.tar"));
};

const entriesOf = async (bytes: Uint8Array): Promise<Map<string, Buffer>> => {
  const found = new Map<string, Buffer>();
  const chunks = (async function* () {
    yield bytes;
  })();
  for await (const { name, body } of readEntries(chunks)) {
    assert.ok(!found.has(name), `${name} comes twice`);
    found.set(name, Buffer.from(await collect(body, 1e9, name)));
  }
  return found;
};

/** Several samples under the root of the first. */
const together = (...samples: [Sample, ...Sample[]]): Sample => ({
  root: samples[0].root,
  blobs: new Map(samples.flatMap(({ blobs }) => [...blobs])),
  manifests: new Map(samples.flatMap(({ manifests }) => [...manifests])),
});

const fileOf = (digest: Descriptor["digest"]): string => `blobs/sha256/${hexOf(digest)}`;
const filesOf = (sample: Sample): string[] => [...sample.manifests.keys(), ...sample.blobs.keys()].map(fileOf).sort();
const list = (entries: Map<string, Buffer>): Index =>
  JSON.parse((entries.get("index.json") as Buffer).toString()) as Index;
const namesOf = async (names: AsyncIterable<string>): Promise<string[]> => {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found;
};
const load = async (store: ReadableStore, descriptor: Descriptor): Promise<Buffer> =>
  Buffer.from(await collect(store.read(descriptor), 1e9, descriptor.digest));

const code =
  (wanted: ErrorCode, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(isDrayError(error, wanted), `${String(error)} should be ${wanted}`);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" should name "${word}"`);
    return true;
  };

const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm64"], attestations: true });

test("an index with all below it is a layout in a tar, and comes out as it went in", () =>
  inFolder(async (folder, file) => {
    const archive = ociArchive(file);
    await copy(at(await storeOf(index), "source"), at(archive, "v1"));
    assert.deepEqual(await readdir(folder), ["x.tar"]);
    const entries = await entriesOf(await readFile(file));
    assert.deepEqual([...entries.keys()].sort(), [...filesOf(index), "index.json", "oci-layout"].sort());
    for (const [digest, { bytes }] of index.manifests) assert.ok(entries.get(fileOf(digest))?.equals(bytes));
    for (const [digest, bytes] of index.blobs) assert.ok(entries.get(fileOf(digest))?.equals(bytes));
    assert.deepEqual(list(entries).manifests, [{ ...index.root, annotations: { [annotationKeys.refName]: "v1" } }]);

    const root = await archive.resolve("v1");
    assert.equal(root.digest, index.root.digest);
    assert.deepEqual(await archive.resolve(""), root);
    assert.deepEqual(await namesOf(archive.tags()), ["v1"]);
    const back = memoryStore();
    const { copied } = await copy(at(archive, "v1"), at(back, "again"));
    assert.equal(copied, index.manifests.size + index.blobs.size);
    assert.equal((await back.resolve("again")).digest, index.root.digest);
    await archive.close();
  }));

test("it holds what a layout in a directory holds, and is read from gzip, zstd and a stream", () =>
  inFolder(async (folder, file) => {
    const dir = layoutStore(join(folder, "layout"));
    await copy(at(await storeOf(index), "source"), at(dir, "v1"));
    await copy(at(await storeOf(index), "source"), at(ociArchive(file), "v1"));
    const bytes = await readFile(file);
    const entries = await entriesOf(bytes);
    for (const name of ["index.json", "oci-layout"])
      assert.equal(entries.get(name)?.toString(), await readFile(join(folder, "layout", name), "utf8"));
    for (const [name, packed] of [
      ["gz", gzipSync(bytes)],
      ["zst", zstdCompressSync(bytes)],
    ] as const) {
      await writeFile(join(folder, name), packed);
      const archive = ociArchive(join(folder, name));
      assert.deepEqual(await archive.resolve("v1"), await dir.resolve("v1"));
      await archive.close();
    }
    const output = new PassThrough();
    const sent: Buffer[] = [];
    output.on("data", (chunk: Buffer) => sent.push(chunk));
    await copy(at(await storeOf(index), "source"), at(ociArchive("-", { output }), "v1"));
    assert.deepEqual(
      await entriesOf(Buffer.concat(sent)).then((all) => new Map([...all].sort(byName))),
      new Map([...entries].sort(byName)),
    );
    const input = (async function* () {
      yield* sent;
    })();
    const archive = ociArchive("-", { input });
    assert.deepEqual(await archive.resolve(index.root.digest), await archive.resolve("v1"));
    await archive.close();
  }));

const byName = ([a]: [string, Buffer], [b]: [string, Buffer]): number => (a < b ? -1 : 1);

test("what says something about an image comes along, and is found", () =>
  inFolder(async (_folder, file) => {
    const image = sampleImage();
    const sbom = sampleArtifact({ subject: image.root });
    const about = sampleArtifact({
      subject: sbom.root,
      seed: "about",
      artifactType: "application/vnd.example.signature.v1",
    });
    const all: Sample = together(image, sbom, about);
    const archive = ociArchive(file);
    await copy(at(await storeOf(all), "source"), at(archive, "v1"), { referrers: true });
    assert.deepEqual(
      [...(await entriesOf(await readFile(file))).keys()].sort(),
      [...filesOf(all), "index.json", "oci-layout"].sort(),
    );
    const found: Descriptor[] = [];
    for await (const descriptor of archive.referrers(image.root)) found.push(descriptor);
    assert.deepEqual(
      found.map(({ digest, artifactType }) => [digest, artifactType]),
      [[sbom.root.digest, "application/vnd.example.sbom.v1"]],
    );
    for await (const _ of archive.referrers(image.root, { artifactType: "application/other" }))
      assert.fail("not asked for");
    assert.equal((await archive.resolve("")).digest, image.root.digest);
    await archive.close();
  }));

test("several names, one without any, and one that moves", () =>
  inFolder(async (_folder, file) => {
    const [a, b] = [sampleImage({ seed: "a" }), sampleImage({ seed: "b" })];
    const archive = ociArchive(file);
    const write = async (sample: Sample): Promise<void> => {
      const store = await storeOf(sample);
      for (const [digest, bytes] of sample.blobs)
        await archive.write(
          { mediaType: "application/octet-stream", digest, size: bytes.byteLength },
          bytesContent(bytes),
        );
      await archive.write(sample.root, bytesContent(await load(store, sample.root)));
    };
    await write(a);
    await write(b);
    await archive.tag(a.root, "one");
    await archive.tag(a.root, "two");
    await archive.tag(b.root, "one");
    assert.equal((await archive.resolve("one")).digest, b.root.digest);
    await assert.rejects(archive.resolve("three"), code("NOT_FOUND", "three", "being written"));
    await assert.rejects(archive.tag({ ...a.root, digest: digestOf(Buffer.from("x")) }, "x"), code("NOT_FOUND"));
    await archive.close();
    assert.deepEqual(await namesOf(archive.tags()), ["one", "two"]);
    await assert.rejects(archive.resolve("three"), code("NOT_FOUND", file, "one, two"));
    await assert.rejects(archive.resolve(""), code("USAGE", file, "oci-archive:", "one, two"));
    await archive.close();
    const again = ociArchive(file);
    await copy(at(await storeOf(a), "source"), at(again, ""));
    assert.deepEqual(list(await entriesOf(await readFile(file))).manifests, [a.root]);
  }));

test("any content is found by its digest: an entry, a child of an index, a blob", () =>
  inFolder(async (_folder, file) => {
    const archive = ociArchive(file);
    await copy(at(await storeOf(index), "source"), at(archive, "v1"));
    const [child] = [...index.manifests].filter(([digest]) => digest !== index.root.digest);
    assert.ok(child);
    assert.equal((await archive.resolve(child[0])).mediaType, child[1].mediaType);
    const [[blob, bytes]] = [...index.blobs] as [[Descriptor["digest"], Uint8Array]];
    const descriptor = await archive.resolve(blob);
    assert.equal(descriptor.size, bytes.byteLength);
    assert.deepEqual(await load(archive, descriptor), Buffer.from(bytes));
    assert.deepEqual(
      Buffer.from(await collect(archive.read(descriptor, { offset: 3 }), 1e9, "x")),
      Buffer.from(bytes.subarray(3)),
    );
    await assert.rejects(archive.resolve(digestOf(Buffer.from("none"))), code("NOT_FOUND", "v1"));
    await archive.close();
  }));

test("a copy that breaks off leaves what was there; the next one asks for the rest", () =>
  inFolder(async (folder, file) => {
    await writeFile(file, "old");
    const image = sampleImage({ layers: 4, layerSize: 300_000 });
    const store = await storeOf(image);
    const all = [...image.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    let given = 0;
    const source = (limit: number): ReadableStore => ({
      resolve: (name) => store.resolve(name),
      read: async function* (descriptor, options) {
        for await (const bytes of store.read(descriptor, options))
          for (let i = 0; i < bytes.byteLength; i += 4096) {
            const chunk = bytes.subarray(i, i + 4096);
            if (given + chunk.byteLength > limit) throw new Error("cable pulled");
            given += chunk.byteLength;
            yield chunk;
          }
      },
    });
    await assert.rejects(copy(at(source(700_000), "source"), at(ociArchive(file), "v1")), /cable pulled/);
    assert.equal(await readFile(file, "utf8"), "old");
    assert.deepEqual((await readdir(folder)).sort(), ["x.tar", "x.tar.dray-part"]);
    await copy(at(source(Infinity), "source"), at(ociArchive(file), "v1"));
    assert.ok(given < all * 1.1 + 3 * image.root.size, `${given} bytes for ${all}`);
    assert.deepEqual(
      [...(await entriesOf(await readFile(file))).keys()].sort(),
      [...filesOf(image), "index.json", "oci-layout"].sort(),
    );
    assert.deepEqual(await readdir(folder), ["x.tar"]);
  }));

test("damaged archives say what is wrong, and which", () =>
  inFolder(async (_folder, file) => {
    const marker = { name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' };
    const listed = (value: unknown): NewEntry & { body: string } => ({
      name: "index.json",
      body: JSON.stringify(value),
    });
    const gone = { mediaType: mediaTypes.ociManifest, digest: digestOf(Buffer.from("gone")), size: 4 };
    const cases: [string, Buffer, ErrorCode, string[]][] = [
      ["no tar", Buffer.from("x".repeat(600)), "ARCHIVE_INVALID", ["no tar"]],
      ["no layout", tarOf([{ name: "a" }]), "ARCHIVE_INVALID", ["no OCI archive", "index.json"]],
      ["a docker archive", tarOf([{ name: "manifest.json", body: "[]" }]), "ARCHIVE_INVALID", ["docker-archive:"]],
      [
        "another version",
        tarOf([{ name: "oci-layout", body: '{"imageLayoutVersion":"2"}' }]),
        "UNSUPPORTED",
        ["1.0.0"],
      ],
      ["no JSON", tarOf([marker, { name: "index.json", body: "{" }]), "ARCHIVE_INVALID", ["index.json"]],
      ["no index", tarOf([marker, listed([])]), "ARCHIVE_INVALID", ["no JSON object"]],
      [
        "entries that are none",
        tarOf([marker, listed({ schemaVersion: 2, manifests: [1] })]),
        "ARCHIVE_INVALID",
        ["manifests[0]"],
      ],
      ["nothing in it", tarOf([marker, listed({ schemaVersion: 2, manifests: [] })]), "NOT_FOUND", ["empty"]],
      ["a name outside", tarOf([marker, listed({}), { name: "../x" }]), "ARCHIVE_INVALID", ["../x"]],
      [
        "an index that is a circle of links",
        tarOf([{ name: "index.json", type: "symlink", linkName: "index.json" }]),
        "ARCHIVE_INVALID",
        ["circle"],
      ],
    ];
    for (const [what, bytes, wanted, words] of cases) {
      await writeFile(file, bytes);
      await assert.rejects(ociArchive(file).resolve(""), code(wanted, file, ...words), what);
    }
    await writeFile(file, tarOf([marker, listed({ schemaVersion: 2, manifests: [gone] })]));
    const sparse = ociArchive(file);
    await assert.rejects(load(sparse, await sparse.resolve("")), code("NOT_FOUND", gone.digest));
    await writeFile(
      file,
      tarOf([marker, listed({ schemaVersion: 2, manifests: [gone] }), { name: fileOf(gone.digest), body: "none" }]),
    );
    const damaged = ociArchive(file);
    await assert.rejects(load(damaged, gone), code("DIGEST_MISMATCH", file, fileOf(gone.digest)));
    await assert.rejects(ociArchive(`${file}.none`).resolve(""), code("NOT_FOUND", `${file}.none`));
  }));

test("skopeo reads what we write, and we what it writes", async (t) => {
  const skopeo = findPeer("skopeo");
  if (skopeo === undefined) return t.skip("skopeo is missing");
  const run = (args: string[]): Promise<string> => succeed([skopeo, "--insecure-policy", ...args]);
  await inFolder(async (folder, file) => {
    const image = sampleImage({ layers: 3 });
    await copy(at(await storeOf(image), "source"), at(ociArchive(file), "v1"));
    const found = JSON.parse(await run(["inspect", `oci-archive:${file}:v1`])) as { Digest: string };
    assert.equal(found.Digest, image.root.digest);
    const theirs = join(folder, "theirs.tar");
    await run(["copy", `oci-archive:${file}:v1`, `oci-archive:${theirs}:v2`]);
    const archive = ociArchive(theirs);
    assert.equal((await archive.resolve("v2")).digest, image.root.digest);
    const back = memoryStore();
    await copy(at(archive, ""), at(back, "x"));
    assert.equal((await back.resolve("x")).digest, image.root.digest);
    await archive.close();
    await copy(at(await storeOf(index), "source"), at(ociArchive(file), "v1"));
    await run(["copy", "--all", `oci-archive:${file}:v1`, `dir:${join(folder, "dir")}`]);
  });
});

test("a pipe that cannot be written to says why; only where its reader has gone is that said", async () => {
  const source = await storeOf(sampleImage());
  for (const [errno, says] of [
    ["ENOSPC", /cannot write to standard output: the disk is full/],
    ["EIO", /the disk reports an error/],
    ["EPIPE", /whoever reads it has gone/],
  ] as const) {
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(errno), { code: errno })),
    });
    await assert.rejects(copy(at(source, "source"), at(ociArchive("-", { output }), "x")), (error) => {
      assert.ok(isDrayError(error, "DISK"));
      assert.match(error.message, says);
      return true;
    });
  }
});
