import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf, mediaTypes } from "dray/oci";
import fc from "fast-check";
import { memoryDriver } from "../storage/index.ts";
import { inspect, typeInside } from "./inspection.ts";
import { blobPath, currentLink, historyLink, layerFolder, layersPath, revisionFolder, uploadData } from "./paths.ts";
import { Tree } from "./tree.ts";
import { type WalkOptions, walk } from "./walk.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const digest = digestOf(bytes("one"));
const hex = digest.slice("sha256:".length);
const digest512 = digestOf(bytes("one"), "sha512");

test("paths are those of the CNCF distribution", () => {
  const root = "docker/registry/v2";
  assert.equal(blobPath(digest), `${root}/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`);
  assert.equal(blobPath(digest512), `${root}/blobs/sha512/${digest512.slice(7, 9)}/${digest512.slice(7)}/data`);
  assert.equal(layerFolder("a/b", digest), `${root}/repositories/a/b/_layers/sha256/${hex}`);
  assert.equal(revisionFolder("a", digest), `${root}/repositories/a/_manifests/revisions/sha256/${hex}`);
  assert.equal(currentLink("a", "v1"), `${root}/repositories/a/_manifests/tags/v1/current/link`);
  assert.equal(historyLink("a", "v1", digest), `${root}/repositories/a/_manifests/tags/v1/index/sha256/${hex}/link`);
  assert.equal(uploadData("a", "id"), `${root}/repositories/a/_uploads/id/data`);
});

const holding = () => {
  const driver = memoryDriver();
  return { driver, tree: new Tree(driver) };
};

test("a tag stands for the digest in its link, bare or with a newline; a torn link is none", async () => {
  const { driver, tree } = holding();
  await tree.setTag("a", "v1", digest);
  assert.equal((await tree.tag("a", "v1"))?.digest, digest);
  assert.equal(new TextDecoder().decode(driver.getSync(currentLink("a", "v1"))), digest);
  assert.equal(new TextDecoder().decode(driver.getSync(historyLink("a", "v1", digest))), digest);
  driver.putSync(currentLink("a", "v1"), bytes(`${digest}\n`));
  assert.equal((await tree.tag("a", "v1"))?.digest, digest);
  for (const torn of ["", digest.slice(0, 30), "sha256:", "\0"]) {
    driver.putSync(currentLink("a", "v1"), bytes(torn));
    assert.equal(await tree.tag("a", "v1"), undefined, JSON.stringify(torn));
  }
  await tree.removeTag("a", "v1");
  assert.deepEqual(await tree.tagFolders("a"), []);
});

test("the version of a tag changes with every write of it, also of the same digest", async () => {
  const { tree } = holding();
  const seen = new Set<string>();
  for (let i = 0; i < 3; i++) {
    await tree.setTag("a", "v1", digest);
    seen.add(JSON.stringify(await tree.tagVersion("a", "v1")));
  }
  assert.equal(seen.size, 3);
});

test("membership: a layer, an alias that distribution made, a revision whose folder is empty", async () => {
  const { driver, tree } = holding();
  await tree.linkLayer("a", digest);
  driver.putSync(`${layerFolder("a", digest512)}/link`, bytes(digest));
  assert.equal(await tree.layer("a", digest512), digest);
  assert.deepEqual(await Array.fromAsync(tree.layers("a")), [digest, digest512]);
  assert.equal(await tree.layer("b", digest), undefined);
  await tree.linkRevision("a", digest);
  assert.ok(await tree.revision("a", digest));
  await tree.unlinkRevision("a", digest);
  assert.equal(await tree.revision("a", digest), undefined);
  assert.deepEqual(await Array.fromAsync(tree.revisions("a")), [digest]);
  assert.equal(await tree.isRepository("a"), true);
  assert.equal(await tree.isRepository("b"), false);
});

test("repositories come in byte order of their whole names, from any name on", async () => {
  const component = fc.stringMatching(/^[a-c](-[a-c]|[0-9])?$/);
  const name = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 12 }), name, async (names, after) => {
      const { tree } = holding();
      for (const each of names) await tree.linkRevision(each, digest);
      assert.deepEqual(await Array.fromAsync(tree.repositories()), [...names].sort());
      const behind = names.filter((each) => each > after).sort();
      assert.deepEqual(await Array.fromAsync(tree.repositories(after)), behind);
    }),
  );
});

test("a walk tells what each folder holds, and lists each directory once", async () => {
  const { driver, tree } = holding();
  await tree.linkLayer("a", digest);
  for (const name of ["a/b", "a-b"]) driver.putSync(`${revisionFolder(name, digest)}/link`, bytes(digest));
  driver.putSync(uploadData("a/c", "id"), bytes("x"));
  await tree.linkLayer("Strange", digest);
  await tree.linkLayer("Strange/below", digest);
  const listed: string[] = [];
  const list = (path: string): Promise<string[] | undefined> => {
    listed.push(path);
    return driver.list(path);
  };
  const told = async (options?: WalkOptions): Promise<string[]> =>
    (await Array.fromAsync(walk(list, options))).map(
      ({ repository, manifests, layers, uploads, valid }) =>
        `${repository}${manifests ? " manifests" : ""}${layers ? " layers" : ""}${uploads ? " uploads" : ""}${valid ? "" : " invalid"}`,
    );
  assert.deepEqual(await told(), ["a layers", "a-b manifests", "a/b manifests", "a/c uploads"]);
  assert.equal(listed.length, 5);
  assert.equal(new Set(listed).size, 5);
  assert.deepEqual(await told({ after: "a/b" }), ["a/c uploads"]);
  assert.deepEqual((await told({ invalid: true })).slice(0, 2), [
    "Strange layers invalid",
    "Strange/below layers invalid",
  ]);
});

test("the pool in order, from any digest on; what is no digest is passed over", async () => {
  const { driver, tree } = holding();
  const all = Array.from({ length: 40 }, (_, i) => digestOf(bytes(String(i)), i % 5 === 0 ? "sha512" : "sha256"));
  for (const each of all) await tree.writeBlob(each, bytes("x"));
  driver.putSync("docker/registry/v2/blobs/sha256/ab/junk/data", bytes("x"));
  driver.putSync("docker/registry/v2/blobs/md5/ab/junk/data", bytes("x"));
  const sorted = [...all].sort();
  assert.deepEqual(await Array.fromAsync(tree.blobs()), sorted);
  assert.deepEqual(await Array.fromAsync(tree.blobs(sorted[17])), sorted.slice(18));
});

test("the type of stored bytes is the one they show, as distribution infers it", () => {
  for (const [json, type] of [
    [{ schemaVersion: 2, mediaType: "application/x" }, "application/x"],
    [{ schemaVersion: 2, config: {}, layers: [] }, mediaTypes.ociManifest],
    [{ schemaVersion: 2, manifests: [] }, mediaTypes.ociIndex],
    [{ schemaVersion: 1, fsLayers: [] }, mediaTypes.dockerSchema1],
    [{ schemaVersion: 1, fsLayers: [], signatures: [] }, mediaTypes.dockerSchema1Signed],
    [[], "application/octet-stream"],
  ] as const)
    assert.equal(typeInside(bytes(JSON.stringify(json))), type);
  assert.equal(typeInside(bytes("{")), "application/octet-stream");
});

test("what a manifest needs is known, or known to be unknown", () => {
  const descriptor = (of: Digest, mediaType: string): object => ({ mediaType, digest: of, size: 3 });
  const { described: image } = inspect(
    bytes(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: descriptor(digest, mediaTypes.ociConfig),
        layers: [descriptor(digest512, "application/x"), descriptor(digest, "application/x")],
        subject: descriptor(digestOf(bytes("subject")), mediaTypes.ociManifest),
        annotations: { a: "b" },
      }),
    ),
  );
  assert.deepEqual(image, {
    mediaType: mediaTypes.ociManifest,
    artifactType: mediaTypes.ociConfig,
    subject: digestOf(bytes("subject")),
    annotations: '{"a":"b"}',
    references: [digest, digest512],
    sizes: [3, 3],
    readable: true,
  });
  for (const text of [
    "{",
    "[]",
    '{"schemaVersion":1,"fsLayers":[]}',
    '{"schemaVersion":2,"mediaType":"application/x"}',
  ])
    assert.equal(inspect(bytes(text)).described.readable, false, text);
});

test("a repository with a manifest has the folder by which distribution's garbage collection knows one, also without a blob", async () => {
  const { driver, tree } = holding();
  await tree.linkRevision("no/blobs", digest);
  assert.deepEqual(await driver.list(layersPath("no/blobs")), []);
  await tree.linkLayer("no/blobs", digest);
  await tree.linkRevision("no/blobs", digest);
  assert.deepEqual(await driver.list(layersPath("no/blobs")), ["sha256"]);
});
