import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { before, beforeEach, describe, it } from "node:test";
import { faultyFiles, seededBytes, temporaryFolder } from "@dray/testkit/files";
import {
  bytesContent,
  type Content,
  collect,
  type MemoryStore,
  memoryStore,
  type ProgressEvent,
} from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { nodeFiles } from "../files/index.ts";
import { annotationKeys, type Descriptor, type Digest, digestOf, encodeJson, hexOf, mediaTypes } from "../oci/index.ts";
import { type LayoutStore, layoutStore } from "./index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const put = (store: MemoryStore, bytes: Uint8Array, mediaType: string): Promise<Descriptor> =>
  store.ingest(bytesContent(bytes), { mediaType });

/** An image of these layers, perhaps about another one. */
const image = async (
  store: MemoryStore,
  layers: readonly (string | Uint8Array)[],
  extra: object = {},
): Promise<Descriptor> => {
  const config = await put(
    store,
    encodeJson({ os: "linux", seed: String(layers[0]).slice(0, 20) }),
    mediaTypes.ociConfig,
  );
  const below: Descriptor[] = [];
  for (const layer of layers)
    below.push(await put(store, typeof layer === "string" ? text(layer) : layer, mediaTypes.ociLayerGzip));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: below, ...extra };
  return put(store, encodeJson(manifest), mediaTypes.ociManifest);
};
const index = (store: MemoryStore, manifests: readonly Descriptor[]): Promise<Descriptor> =>
  put(store, encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }), mediaTypes.ociIndex);

describe("a layout in a directory", () => {
  let root = "";
  let dir = "";
  let source: MemoryStore;
  before(() => {
    root = temporaryFolder("layout");
  });
  beforeEach(async () => {
    dir = join(await mkdtemp(join(root, "case-")), "layout");
    source = memoryStore();
  });

  it("opens no file and makes none for what is no digest, whatever its type says", async () => {
    const content = await image(source, ["a"]);
    await copy(
      { store: source, name: content.digest, location: "a" },
      { store: layoutStore(dir), name: "", location: "b" },
    );
    await writeFile(join(dir, "..", "secret"), "secret");
    const store = layoutStore(dir);
    const digest = "sha256:../../../secret" as Digest;
    const wrong = { mediaType: "text/plain", digest, size: 6 };
    const before = await readdir(join(dir, ".."));
    for (const ask of [
      () => Array.fromAsync(store.read(wrong, { verify: false })),
      () => Array.fromAsync(store.read(wrong, { offset: 1 })),
      () => store.describe(digest),
      () => store.has(wrong),
      () => store.write(wrong, bytesContent(text("secret"))),
    ])
      await assert.rejects(ask(), (error) => isDrayError(error, "DIGEST_INVALID"));
    await store.close?.();
    assert.deepEqual(await readdir(join(dir, "..")), before);
  });

  const copyIn = async (
    content: Descriptor,
    name = "",
    options: Parameters<typeof copy>[2] = {},
  ): ReturnType<typeof copy> =>
    copy(
      { store: source, name: content.digest, location: "memory:" },
      { store: layoutStore(dir), name, location: `oci:${dir}` },
      options,
    );
  const blobPath = (content: Descriptor): string => join(dir, "blobs", "sha256", hexOf(content.digest));
  const indexText = (): Promise<string> => readFile(join(dir, "index.json"), "utf8");
  const entries = async (): Promise<Descriptor[]> =>
    (JSON.parse(await indexText()) as { manifests: Descriptor[] }).manifests;
  const readAll = (store: LayoutStore, content: Descriptor): Promise<Uint8Array> =>
    collect(store.read(content), Infinity, "content");
  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const item of items) found.push(item);
    return found;
  };
  const fails = (work: Promise<unknown>, code: ErrorCode, says: RegExp): Promise<void> =>
    assert.rejects(work, (error) => {
      assert.ok(isDrayError(error, code), String(error));
      assert.match(error.message, says);
      return true;
    });

  describe("that is written", () => {
    it("has the files and bytes that crane writes, and nothing else", async () => {
      const content = await image(source, ["one"]);
      await copyIn(content);
      assert.deepEqual((await readdir(dir)).sort(), ["blobs", "index.json", "oci-layout"]);
      assert.equal(await readFile(join(dir, "oci-layout"), "utf8"), '{\n    "imageLayoutVersion": "1.0.0"\n}');
      assert.equal(
        await indexText(),
        `{
   "schemaVersion": 2,
   "mediaType": "application/vnd.oci.image.index.v1+json",
   "manifests": [
      {
         "mediaType": "application/vnd.oci.image.manifest.v1+json",
         "size": ${content.size},
         "digest": "${content.digest}"
      }
   ]
}`,
      );
      assert.deepEqual((await readdir(join(dir, "blobs"))).sort(), ["sha256"]);
      assert.equal((await readdir(join(dir, "blobs", "sha256"))).length, 3);
    });

    it("gives back what was put there, by name, by digest and as the only entry", async () => {
      const content = await image(source, ["one", "two"]);
      await copyIn(content, "docker.io/library/x:1");
      const layout = layoutStore(dir);
      for (const name of ["docker.io/library/x:1", content.digest, ""]) {
        const { digest, size, mediaType } = await layout.resolve(name);
        assert.deepEqual({ digest, size, mediaType }, content);
      }
      const target = memoryStore();
      await copy({ store: layout, name: "", location: dir }, { store: target, name: "back", location: "memory:" });
      assert.equal((await target.resolve("back")).digest, content.digest);
    });

    it("has one entry however often the same is copied there", async () => {
      const content = await image(source, ["one"]);
      for (const name of ["", "", "1", "1", ""]) await copyIn(content, name);
      const found = await entries();
      assert.equal(found.length, 1);
      assert.equal(found[0]?.annotations?.[annotationKeys.refName], "1");
    });

    it("keeps other entries, unknown members and their order when a name moves", async () => {
      await copyIn(await image(source, ["one"]), "1");
      await copyIn(await image(source, ["two"]), "2");
      const json = JSON.parse(await indexText()) as { manifests: object[] };
      const changed = {
        "x-top": { a: 1 },
        ...json,
        manifests: [{ ...json.manifests[0], "x-entry": 5 }, json.manifests[1]],
      };
      await writeFile(join(dir, "index.json"), JSON.stringify(changed));
      const third = await image(source, ["three"]);
      await copyIn(third, "2");
      const after = JSON.parse(await indexText()) as { manifests: Descriptor[] };
      assert.deepEqual(Object.keys(after), ["x-top", "schemaVersion", "mediaType", "manifests"]);
      assert.deepEqual(after.manifests[0], changed.manifests[0]);
      assert.equal(after.manifests[1]?.digest, third.digest);
      assert.equal(after.manifests.length, 2);
    });

    it("lets many write and name at once, through one store", async () => {
      const contents = await Promise.all(
        Array.from({ length: 40 }, (_, i) => image(source, [`layer ${i % 7}`, `own ${i}`])),
      );
      let renames = 0;
      const counting = faultyFiles(nodeFiles, ({ operation, path }) => {
        if (operation === "rename" && path.endsWith("index.json")) renames++;
        return undefined;
      });
      const layout = layoutStore(dir, { fs: counting });
      await Promise.all(
        contents.map(async (content, i) => {
          const manifest = await collect(source.read(content), Infinity, "manifest");
          for (const { digest, size, mediaType } of (
            JSON.parse(new TextDecoder().decode(manifest)) as { layers: Descriptor[] }
          ).layers)
            await layout.write(
              { digest, size, mediaType },
              bytesContent(await collect(source.read({ digest, size, mediaType }), Infinity, "layer")),
            );
          await layout.write(content, bytesContent(manifest));
          await layout.tag(content, `v${i}`);
          assert.ok((await indexText()).includes(`"v${i}"`), "a name is there when tag has ended");
        }),
      );
      await layout.close();
      assert.equal((await entries()).length, 40);
      assert.ok(renames < 40, `${renames} writes of index.json for 40 names`);
      assert.deepEqual((await readdir(dir)).sort(), ["blobs", "index.json", "oci-layout"]);
    });

    it("takes the same content from two at once, reading only one of them", async () => {
      const bytes = text("shared");
      const descriptor = await put(source, bytes, "x/y");
      let opened = 0;
      const content: Content = {
        open: async function* () {
          opened++;
          await new Promise(setImmediate);
          yield bytes;
        },
      };
      const layout = layoutStore(dir);
      await Promise.all([1, 2, 3].map(() => layout.write(descriptor, content)));
      await layout.close();
      assert.equal(opened, 1);
      assert.deepEqual(new Uint8Array(await readFile(blobPath(descriptor))), bytes);
    });

    it("takes it from the second when the first is cut or cancelled", async () => {
      const bytes = text("shared");
      const descriptor = await put(source, bytes, "x/y");
      const cancel = new AbortController();
      let begin = (): void => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const stuck: Content = {
        open: async function* ({ signal } = {}) {
          begin();
          yield bytes.subarray(0, 1);
          await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("cut"))));
        },
      };
      const layout = layoutStore(dir);
      const first = layout.write(descriptor, stuck, { signal: cancel.signal });
      const second = layout.write(descriptor, bytesContent(bytes));
      const impatient = new AbortController();
      const third = layout.write(descriptor, bytesContent(bytes), { signal: impatient.signal });
      impatient.abort();
      await fails(third, "ABORTED", /interrupted/);
      await begun;
      cancel.abort();
      await assert.rejects(first, /cut|interrupted/);
      await second;
      await layout.close();
      assert.deepEqual(new Uint8Array(await readFile(blobPath(descriptor))), bytes);
    });

    it("refuses content that is not what its digest says, under any name", async () => {
      const descriptor = await put(source, text("right"), "x/y");
      const layout = layoutStore(dir);
      await fails(layout.write(descriptor, bytesContent(text("wrong"))), "DIGEST_MISMATCH", /has digest/);
      await fails(layout.write(descriptor, bytesContent(text("long enough"))), "SIZE_MISMATCH", /5 bytes/);
      assert.equal(await layout.has(descriptor), false);
      await fails(layout.tag(descriptor, "x"), "NOT_FOUND", /to name "x"/);
      await layout.close({ abort: true });
      assert.deepEqual(await readdir(dir), ["blobs"]);
    });

    it("goes on with what an earlier write left, and tells where", async () => {
      const bytes = seededBytes("large", 3_000_000);
      const content = await image(source, [bytes]);
      const layer = await put(source, bytes, mediaTypes.ociLayerGzip);
      await mkdir(join(dir, ".dray"), { recursive: true });
      await writeFile(join(dir, ".dray", `sha256-${hexOf(layer.digest)}.part`), bytes.subarray(0, 2_000_000));
      const events: ProgressEvent[] = [];
      const result = await copyIn(content, "", { onEvent: (event) => events.push(event) });
      const ofLayer = events.filter((event) => "descriptor" in event && event.descriptor.digest === layer.digest);
      assert.deepEqual(
        ofLayer.flatMap((event) => (event.type === "start" ? [event.offset] : [])),
        [2_000_000],
      );
      const moved = ofLayer.reduce((sum, event) => sum + (event.type === "bytes" ? event.bytes : 0), 0);
      assert.equal(moved, 1_000_000);
      assert.ok(
        result.bytes > 1_000_000 && result.bytes < 1_010_000,
        `${result.bytes} bytes: what was there is not moved`,
      );
      assert.deepEqual((await readdir(dir)).sort(), ["blobs", "index.json", "oci-layout"]);
    });

    it("is refused while another holds it, and reading goes on", async () => {
      const content = await image(source, ["one"]);
      await copyIn(content, "1");
      const holder = layoutStore(dir);
      await holder.tag(content, "2");
      await fails(copyIn(await image(source, ["two"])), "LOCKED", /layout .* is in use by this process/);
      assert.equal((await layoutStore(dir).resolve("2")).digest, content.digest);
      await holder.close();
      await copyIn(await image(source, ["two"]));
    });

    it("tells a directory that may not be written, before anything is read", async () => {
      const content = await image(source, ["one"]);
      const readonly = faultyFiles(nodeFiles, ({ operation }) => (operation === "mkdir" ? "EROFS" : undefined));
      let opened = false;
      const sent: Content = {
        open: async function* () {
          opened = true;
          yield text("one");
        },
      };
      await fails(
        layoutStore(dir, { fs: readonly }).write(content, sent),
        "DISK",
        /read-only; choose another directory/,
      );
      assert.equal(opened, false);
    });
  });

  describe("names in it", () => {
    it("are listed, unknown ones with those that there are", async () => {
      for (let i = 0; i < 8; i++) await copyIn(await image(source, [`layer ${i}`]), `v${i}`);
      const layout = layoutStore(dir);
      assert.deepEqual(await all(layout.tags()), ["v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"]);
      await fails(layout.resolve("v9"), "NOT_FOUND", /has no name "v9"; it has v0, v1, v2, v3, v4 and 3 more/);
      await fails(layout.resolve(""), "USAGE", /holds 8 entries: v0, .* and 3 more; say which: oci:.*:v0/);
      await fails(layout.resolve(digestOf(text("nothing"))), "NOT_FOUND", /has no content "sha256:/);
    });

    it("can be digests of anything inside", async () => {
      const child = await image(source, ["one"]);
      const top = await index(source, [{ ...child, platform: { os: "linux", architecture: "arm64" } }]);
      await copyIn(top, "1");
      const layout = layoutStore(dir);
      assert.deepEqual((await layout.resolve(child.digest)).platform, { os: "linux", architecture: "arm64" });
      const layer = await put(source, text("one"), mediaTypes.ociLayerGzip);
      assert.deepEqual(await layout.resolve(layer.digest), { ...layer, mediaType: "application/octet-stream" });
      await rename(join(dir, "index.json"), join(dir, "old"));
      await writeFile(join(dir, "index.json"), '{"schemaVersion":2,"manifests":[]}');
      assert.deepEqual(await layoutStore(dir).resolve(child.digest), child);
      assert.deepEqual(await layout.describe(layer.digest), { ...layer, mediaType: "application/octet-stream" });
    });

    it("that others wrote are understood: containerd's, none, and several of one name", async () => {
      const [one, two] = [await image(source, ["one"]), await image(source, ["two"])];
      await copyIn(one, "1");
      await copyIn(two, "2");
      const write = (...manifests: object[]): Promise<void> =>
        writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
      const layout = layoutStore(dir);
      const named = (content: Descriptor, annotations: object): object => ({ ...content, annotations });
      await write(
        named(one, { [annotationKeys.refName]: "3", [annotationKeys.containerdName]: "docker.io/library/x:3" }),
        two,
      );
      assert.equal((await layout.resolve("docker.io/library/x:3")).digest, one.digest);
      assert.equal((await layout.resolve("3")).digest, one.digest);
      await write(named(one, { [annotationKeys.refName]: "x" }), named(two, { [annotationKeys.refName]: "x" }));
      assert.equal((await layout.resolve("x")).digest, two.digest);
      await write(one, one, one);
      assert.equal((await layout.resolve("")).digest, one.digest);
      await write(one, two);
      await fails(layout.resolve(""), "USAGE", /holds 2 entries without names; say which: oci:.*:sha256:/);
      await writeFile(join(dir, "index.json"), '{"schemaVersion":2,"manifests":null}');
      await fails(layout.resolve(""), "NOT_FOUND", /is empty/);
      await fails(layout.resolve("x"), "NOT_FOUND", /its entries have no names/);
    });

    it("are removed by name, and content with all its names by digest", async () => {
      const content = await image(source, ["one"]);
      const other = await image(source, ["two"]);
      await copyIn(content, "1");
      await copyIn(content, "2");
      await copyIn(other, "3");
      const layout = layoutStore(dir);
      await layout.remove("1");
      assert.deepEqual(await all(layout.tags()), ["2", "3"]);
      assert.equal(await layout.has(content), true);
      await layout.remove(content.digest);
      assert.deepEqual(await all(layout.tags()), ["3"]);
      assert.equal(await layout.has(content), false);
      for (const gone of ["1", content.digest]) await fails(layout.remove(gone), "NOT_FOUND", /has no/);
      await layout.close();
      assert.deepEqual((await readdir(dir)).sort(), ["blobs", "index.json", "oci-layout"]);
    });
  });

  describe("what says something about its content", () => {
    it("is found again, by type, also inside indexes, and does not count beside the image", async () => {
      const content = await image(source, ["one"]);
      const signature = await image(source, ["signature"], {
        subject: content,
        artifactType: "x/signature",
        annotations: { k: "v" },
      });
      const sbom = await image(source, ["sbom"], { subject: content, artifactType: "x/sbom" });
      const aboutSbom = await image(source, ["about"], { subject: sbom });
      await source.tag(content, "top");
      await copy(
        { store: source, name: "top", location: "memory:" },
        { store: layoutStore(dir), name: "", location: dir },
        { referrers: true },
      );
      const layout = layoutStore(dir);
      const digests = async (subject: Descriptor, artifactType?: string): Promise<string[]> =>
        (await all(layout.referrers(subject, artifactType === undefined ? {} : { artifactType }))).map(
          ({ digest }) => digest,
        );
      assert.deepEqual((await digests(content)).sort(), [signature.digest, sbom.digest].sort());
      assert.deepEqual(await digests(content, "x/sbom"), [sbom.digest]);
      assert.deepEqual(await digests(sbom), [aboutSbom.digest]);
      assert.deepEqual(await digests(signature), []);
      const [found] = await all(layout.referrers(content, { artifactType: "x/signature" }));
      assert.deepEqual(found, { ...signature, artifactType: "x/signature", annotations: { k: "v" } });
      assert.equal((await layout.resolve("")).digest, content.digest);
      assert.equal((await entries()).length, 4);
    });

    it("is found before it has an entry, and gets one at the end, but not when it all failed", async () => {
      const content = await image(source, ["one"]);
      await copyIn(content, "1");
      const signature = encodeJson({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: await put(source, text("{}"), mediaTypes.ociEmpty),
        layers: [],
        subject: content,
      });
      const descriptor = await put(source, signature, mediaTypes.ociManifest);
      const empty = await put(source, text("{}"), mediaTypes.ociEmpty);
      const layout = layoutStore(dir);
      await layout.write(empty, bytesContent(text("{}")));
      await layout.write(descriptor, bytesContent(signature));
      assert.equal((await all(layout.referrers(content))).length, 1);
      assert.equal(await layout.has(descriptor), true);
      await layout.close({ abort: true });
      assert.equal((await entries()).length, 1);
      const again = layoutStore(dir);
      assert.equal(await again.has(descriptor), false, "nothing leads to it yet");
      await again.write(descriptor, bytesContent(signature));
      await again.close();
      assert.equal((await entries()).length, 2);
      assert.equal(await layoutStore(dir).has(descriptor), true);
    });
  });

  describe("that is read", () => {
    it("gives bytes from an offset, and checks whole ones unless told otherwise", async () => {
      const bytes = seededBytes("layer", 700_000);
      const content = await image(source, [bytes]);
      await copyIn(content);
      const layer = await put(source, bytes, mediaTypes.ociLayerGzip);
      const layout = layoutStore(dir);
      assert.equal(Buffer.compare(await readAll(layout, layer), bytes), 0);
      for (const offset of [1, 262_144, 699_999, 700_000])
        assert.equal(
          Buffer.compare(await collect(layout.read(layer, { offset }), Infinity, "x"), bytes.subarray(offset)),
          0,
        );
      const damaged = bytes.slice();
      damaged[5] = 99;
      await writeFile(blobPath(layer), damaged);
      await fails(
        readAll(layout, layer),
        "DIGEST_MISMATCH",
        /blob sha256:.* holds other bytes; remove .* copy it there again/,
      );
      assert.equal((await collect(layout.read(layer, { verify: false }), Infinity, "x")).byteLength, bytes.byteLength);
    });

    it("damage of the same size is replaced by a copy that checks, and by whoever has read it", async () => {
      const bytes = seededBytes("layer", 100_000);
      const content = await image(source, [bytes]);
      const from = { store: source, name: content.digest, location: "memory:" };
      const to = () => ({ store: layoutStore(dir), name: "1", location: `oci:${dir}` });
      await copy(from, to());
      const layer = await put(source, bytes, mediaTypes.ociLayerGzip);
      const damage = (): Promise<void> => writeFile(blobPath(layer), bytes.toReversed());
      const stored = async (): Promise<number> => Buffer.compare(await readFile(blobPath(layer)), bytes);
      await damage();
      await copy(from, to());
      assert.notEqual(await stored(), 0, "size alone is believed");
      const first = await copy(from, to(), { verify: true });
      assert.equal(await stored(), 0);
      assert.ok(first.copied >= 1, "it was moved again");
      await damage();
      const store = layoutStore(dir);
      assert.equal(await store.has(layer), true);
      await assert.rejects(readAll(store, layer), { code: "DIGEST_MISMATCH" });
      assert.equal(await store.has(layer), false);
      await copy(from, { store, name: "1", location: `oci:${dir}` });
      assert.equal(await stored(), 0);
      await truncate(blobPath(layer), 10);
      await copy(from, to());
      assert.equal(await stored(), 0, "another size is replaced without being asked");
    });

    it("needs no permission to write and no lock", async () => {
      const content = await image(source, ["one"]);
      await copyIn(content, "1");
      const writes = new Set(["mkdir", "rename", "unlink", "rmdir", "write", "truncate", "utimes"]);
      const readonly = faultyFiles(nodeFiles, ({ operation }) => (writes.has(operation) ? "EACCES" : undefined));
      const layout = layoutStore(dir, { fs: readonly });
      await copy({ store: layout, name: "1", location: dir }, { store: memoryStore(), name: "x", location: "memory:" });
      assert.deepEqual(await all(layout.tags()), ["1"]);
      assert.deepEqual(await all(layout.referrers(content)), []);
      await layout.close();
    });

    it("closes its files, whether read to the end, left early or cancelled", async () => {
      const bytes = new Uint8Array(2_000_000);
      await copyIn(await image(source, [bytes]));
      const layer = await put(source, bytes, mediaTypes.ociLayerGzip);
      let open = 0;
      const counting = faultyFiles(nodeFiles, ({ operation }) => {
        if (operation === "open") open++;
        if (operation === "close") open--;
        return undefined;
      });
      const layout = layoutStore(dir, { fs: counting });
      await readAll(layout, layer);
      for await (const _ of layout.read(layer)) break;
      const cancel = new AbortController();
      await fails(
        (async () => {
          for await (const _ of layout.read(layer, { signal: cancel.signal })) cancel.abort();
        })(),
        "ABORTED",
        /interrupted/,
      );
      assert.equal(open, 0);
    });

    it("follows a link inside and refuses one that leads out, a loop, and what is no file", async () => {
      const content = await image(source, ["one"]);
      await copyIn(content, "1");
      const layer = await put(source, text("one"), mediaTypes.ociLayerGzip);
      const path = blobPath(layer);
      await rename(path, join(dir, "blobs", "moved"));
      await symlink(join("..", "moved"), path);
      const layout = layoutStore(dir);
      assert.deepEqual(await readAll(layout, layer), text("one"));
      await writeFile(join(dir, "..", "outside"), "one");
      for (const [target, says] of [
        [join(dir, "..", "outside"), /is a link out of the layout, to .*outside/],
        [path, /is a loop of links/],
      ] as const) {
        await rm(path);
        await symlink(target, path);
        await fails(readAll(layout, layer), "LAYOUT_INVALID", says);
        assert.equal(await layout.has(layer), false);
      }
      await rm(path);
      await mkdir(path);
      await fails(readAll(layout, layer), "LAYOUT_INVALID", /is no file; remove/);
    });

    it("puts a file in the place of a link that leads out", async () => {
      const layer = await put(source, text("one"), mediaTypes.ociLayerGzip);
      await mkdir(join(dir, "blobs", "sha256"), { recursive: true });
      await writeFile(join(dir, "..", "outside"), "two");
      await symlink(join(dir, "..", "outside"), blobPath(layer));
      const layout = layoutStore(dir);
      await layout.write(layer, bytesContent(text("one")));
      await layout.close();
      assert.equal(await readFile(blobPath(layer), "utf8"), "one");
      assert.equal(await readFile(join(dir, "..", "outside"), "utf8"), "two");
    });
  });

  describe("that is damaged", () => {
    const cases: readonly [what: string, damage: () => Promise<void>, code: ErrorCode, says: RegExp][] = [
      ["is not there", () => rm(dir, { recursive: true }), "NOT_FOUND", /there is no layout .*; check the path/],
      [
        "is a file",
        async () => {
          await rm(dir, { recursive: true });
          await writeFile(dir, "x");
        },
        "LAYOUT_INVALID",
        /it is a file; a layout is a directory, an archive is oci-archive:FILE/,
      ],
      [
        "has no index.json",
        () => rm(join(dir, "index.json")),
        "LAYOUT_INVALID",
        /it is no OCI layout: it has no index.json/,
      ],
      [
        "was never finished",
        async () => {
          await rm(join(dir, "index.json"));
          await mkdir(join(dir, ".dray"));
        },
        "LAYOUT_INVALID",
        /was never finished.*run again/,
      ],
      [
        "has a directory as index.json",
        async () => {
          await rm(join(dir, "index.json"));
          await mkdir(join(dir, "index.json"));
        },
        "LAYOUT_INVALID",
        /index.json is a directory; write the layout again/,
      ],
      [
        "has no JSON there",
        () => writeFile(join(dir, "index.json"), '{"schema'),
        "LAYOUT_INVALID",
        /index.json is no valid JSON/,
      ],
      [
        "has an empty index.json",
        () => writeFile(join(dir, "index.json"), ""),
        "LAYOUT_INVALID",
        /index.json is no valid JSON/,
      ],
      ["has a list there", () => writeFile(join(dir, "index.json"), "[]"), "LAYOUT_INVALID", /no JSON object/],
      [
        "has another schema",
        () => writeFile(join(dir, "index.json"), '{"schemaVersion":3}'),
        "LAYOUT_INVALID",
        /schemaVersion 3 is not 2/,
      ],
      [
        "has an entry that is none",
        () => writeFile(join(dir, "index.json"), '{"schemaVersion":2,"manifests":[{"digest":"md5:1"}]}'),
        "LAYOUT_INVALID",
        /manifests\[0\]: digest "md5:1" is missing or invalid/,
      ],
      [
        "nests without end",
        () => writeFile(join(dir, "index.json"), "[".repeat(100_000)),
        "LAYOUT_INVALID",
        /nests deeper/,
      ],
      [
        "has a later version",
        () => writeFile(join(dir, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}'),
        "UNSUPPORTED",
        /version "2.0.0"; Dray reads 1.0.0/,
      ],
      [
        "has a marker that is none",
        () => writeFile(join(dir, "oci-layout"), "x"),
        "LAYOUT_INVALID",
        /oci-layout is no valid JSON/,
      ],
    ];
    for (const [what, damage, code, says] of cases)
      it(`says so when it ${what}, whatever is asked`, async () => {
        await copyIn(await image(source, ["one"]), "1");
        await damage();
        const layout = layoutStore(dir);
        await fails(layout.resolve("1"), code, says);
        await fails(layout.resolve(""), code, says);
        await fails(all(layout.tags()), code, says);
        await layout.close();
      });

    it("is named where a file lies in its place", async () => {
      const root = await image(source, ["one"]);
      await writeFile(dir, "x");
      await fails(
        copyIn(root, "1"),
        "LOCATION_INVALID",
        /layout is a file; name a directory, or write an archive as oci-archive:.*layout$/,
      );
    });

    it("may link its index from elsewhere; it is no layout when that is a pipe", async () => {
      const root = await image(source, ["one"]);
      await copyIn(root, "1");
      const layout = layoutStore(dir);
      await rename(join(dir, "index.json"), join(dir, "..", "elsewhere.json"));
      await symlink(join("..", "elsewhere.json"), join(dir, "index.json"));
      assert.equal((await layout.resolve("1")).digest, root.digest);
      await rm(join(dir, "index.json"));
      execFileSync("mkfifo", [join(dir, "index.json")]);
      await fails(layout.resolve("1"), "LAYOUT_INVALID", /index.json is no file; write the layout again/);
    });

    it("is not written through links that lead out of it, nor through what was planted for an unfinished blob", async () => {
      const root = await image(source, ["one"]);
      await copyIn(root, "1");
      const other = await image(source, ["two"]);
      const outside = join(dir, "..", "outside");
      for (const name of ["index.json", "oci-layout", "blobs/sha256", "blobs", ".dray"]) {
        const path = join(dir, name);
        await rm(outside, { recursive: true, force: true });
        if (name === ".dray") await mkdir(outside);
        else await rename(path, outside);
        await symlink(outside, path);
        const before = await readdir(outside).catch(() => readFile(outside, "utf8"));
        await fails(
          copyIn(other, "2"),
          "LAYOUT_INVALID",
          new RegExp(`${name} is a link out of the layout, to .*outside, and is not written`),
        );
        assert.deepEqual(await readdir(outside).catch(() => readFile(outside, "utf8")), before);
        await rm(path);
        if (name !== ".dray") await rename(outside, path);
      }
      const layer = await put(source, text("three"), mediaTypes.ociLayerGzip);
      const partial = join(dir, ".dray", `sha256-${layer.digest.slice(7)}.part`);
      await rm(outside, { recursive: true, force: true });
      for (const plant of [symlink, link]) {
        await writeFile(outside, "precious");
        await mkdir(join(dir, ".dray"), { recursive: true });
        await plant(outside, partial);
        const layout = layoutStore(dir);
        await layout.write(layer, bytesContent(text("three")));
        await layout.close();
        assert.deepEqual(
          [await readFile(outside, "utf8"), await readFile(blobPath(layer), "utf8")],
          ["precious", "three"],
        );
        await rm(blobPath(layer));
        await rm(outside);
      }
    });

    it("is looked through to a depth, and copying tells of what is deeper", async () => {
      let top = await image(source, ["one"]);
      const chain = [top];
      for (let depth = 0; depth < 40; depth++) chain.push((top = await index(source, [top])));
      await copyIn(chain[10] as Descriptor, "1");
      const layout = layoutStore(dir);
      const sha = join(dir, "blobs", "sha256");
      for (const one of chain)
        await writeFile(join(sha, one.digest.slice(7)), await collect(source.read(one), 1e6, "manifest"));
      assert.equal(await layout.has(chain[16] as Descriptor), true);
      assert.equal(await layout.has(top), false);
      await fails(copyIn(top, "2"), "LIMIT_EXCEEDED", /nest deeper than 16 levels/);
    });

    it("is looked through once, however often its indexes name each other", async () => {
      let top = await image(source, ["one"]);
      for (let depth = 0; depth < 6; depth++) top = await index(source, Array<Descriptor>(50).fill(top));
      await copyIn(top, "1");
      const { copied } = await copyIn(top, "1");
      assert.equal(copied, 0);
    });

    it("is refused for writing before anything is read", async () => {
      const content = await image(source, ["one"]);
      await copyIn(content, "1");
      await writeFile(join(dir, "index.json"), "{");
      const layout = layoutStore(dir);
      let opened = false;
      const sent: Content = {
        open: async function* () {
          opened = true;
          yield text("x");
        },
      };
      const other = await put(source, text("x"), "x/y");
      await fails(layout.write(other, sent), "LAYOUT_INVALID", /index.json is no valid JSON/);
      assert.equal(opened, false);
      await layout.close({ abort: true });
      assert.deepEqual((await readdir(dir)).sort(), ["blobs", "index.json", "oci-layout"]);
    });

    it("is made good by copying the same there again: a lost blob, a cut one, a manifest of other bytes", async () => {
      const content = await image(source, ["one", "two"]);
      const top = await index(source, [content]);
      const layer = await put(source, text("two"), mediaTypes.ociLayerGzip);
      await copyIn(top, "1");
      const layout = layoutStore(dir);
      const damages: readonly [Descriptor, () => Promise<void>, ErrorCode, RegExp][] = [
        [layer, () => rm(blobPath(layer)), "NOT_FOUND", /has no sha256:/],
        [
          layer,
          () => writeFile(blobPath(layer), "t"),
          "LAYOUT_INVALID",
          /has 1 bytes instead of 3; copy it there again/,
        ],
        [content, () => writeFile(blobPath(content), "x".repeat(content.size)), "DIGEST_MISMATCH", /holds other bytes/],
      ];
      for (const [what, damage, code, says] of damages) {
        await damage();
        await fails(readAll(layout, what), code, says);
        const { copied } = await copyIn(top, "1");
        assert.ok(copied >= 1);
        assert.equal((await readAll(layoutStore(dir), what)).byteLength, what.size);
      }
      assert.equal((await copyIn(top, "1")).copied, 0);
    });
  });

  it("as nobody in a directory of root's says that permission is denied", {
    skip: process.getuid?.() !== 0 && "needs root, to be nobody",
  }, async () => {
    await copyIn(await image(source, ["one"]), "1");
    await chmod(root, 0o755);
    await chmod(join(dir, ".."), 0o755);
    const content = await image(source, ["two"]);
    process.seteuid?.("nobody");
    try {
      await fails(copyIn(content, "2"), "DISK", /permission denied/);
      assert.deepEqual(await all(layoutStore(dir).tags()), ["1"]);
    } finally {
      process.seteuid?.(0);
    }
  });
});
