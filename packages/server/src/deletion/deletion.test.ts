import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { DrayError } from "dray/errors";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { createContext } from "../context.ts";
import { currentLink, layerFolder, revisionFolder, Tree, typePath } from "../distribution-tree/index.ts";
import { memoryDriver } from "../storage/index.ts";
import type { Deletions } from "./deletion.ts";

const manifest = (number: number): { digest: Digest; bytes: Uint8Array } => {
  const config = { mediaType: "application/vnd.example", digest: digestOf(new Uint8Array([1])), size: 1 };
  const annotations = { number: String(number) };
  const bytes = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [], annotations });
  return { digest: digestOf(bytes), bytes };
};

const [first, second] = [manifest(1), manifest(2)] as const;
const blob = digestOf(new Uint8Array([1]));

/** A repository `one` with two manifests and a blob: `a` and `b` stand for the first, `c` for the second. */
const setUp = async () => {
  const driver = memoryDriver();
  const tree = new Tree(driver);
  for (const { digest, bytes } of [first, second]) {
    await tree.writeBlob(digest, bytes);
    await tree.linkRevision("one", digest);
    await tree.linkRevision("two", digest);
  }
  await tree.writeBlob(blob, new Uint8Array([1]));
  await tree.linkLayer("one", blob);
  for (const tag of ["a", "b"]) await tree.setTag("one", tag, first.digest);
  await tree.setTag("one", "c", second.digest);
  await tree.setTag("two", "a", first.digest);
  const context = createContext({ driver, recheckAfter: 0 });
  const forgotten: string[] = [];
  context.room.forget = (repository) => void forgotten.push(repository);
  return { ...context, driver, forgotten };
};

const tags = async (tree: Tree, repository: string): Promise<string[]> => (await tree.tagFolders(repository)).sort();

describe("deleting", () => {
  it("takes a manifest out of its repository with the tags that stand for it, and nothing else", async () => {
    const { driver, tree, metadata, deletions, forgotten, close } = await setUp();
    await tree.notes.keepPushedType("one", first.digest, "application/vnd.example+json");
    assert.deepEqual(await deletions.manifest("one", first.digest), { tags: ["a", "b"] });
    assert.equal(await tree.revision("one", first.digest), undefined);
    assert.deepEqual(
      driver.listSync(revisionFolder("one", first.digest)),
      [],
      "the folder stays, as distribution leaves it",
    );
    assert.notEqual(driver.getSync(typePath("one", first.digest)), undefined, "whoever wants it back needs its type");
    assert.deepEqual(await tags(tree, "one"), ["c"]);
    assert.equal(metadata.manifest("one", first.digest), undefined);
    assert.deepEqual(
      metadata.tags("one", { limit: 10 }).map(({ name }) => name),
      ["c"],
    );
    assert.deepEqual(forgotten, ["one", "one", "one"]);
    assert.notEqual(await tree.blobSize(first.digest), undefined, "bytes come back by garbage collection only");
    assert.notEqual(await tree.revision("two", first.digest), undefined);
    assert.deepEqual(await tags(tree, "two"), ["a"]);
    assert.equal(await deletions.manifest("one", first.digest), undefined);
    await close();
  });

  it("takes a tag away and leaves the manifest", async () => {
    const { tree, metadata, deletions, forgotten, close } = await setUp();
    assert.equal(await deletions.tag("one", "a"), true);
    assert.deepEqual(await tags(tree, "one"), ["b", "c"]);
    assert.notEqual(await tree.revision("one", first.digest), undefined);
    assert.equal(metadata.tagsOf("one", first.digest).includes("a"), false);
    assert.deepEqual(forgotten, ["one"]);
    assert.equal(await deletions.tag("one", "a"), false);
    assert.deepEqual(await tags(tree, "two"), ["a"]);
    await close();
  });

  it("takes a blob out of its repository and leaves its data", async () => {
    const { driver, tree, deletions, forgotten, close } = await setUp();
    assert.equal(await deletions.blob("one", blob), true);
    assert.equal(await tree.layer("one", blob), undefined);
    assert.equal(driver.listSync(layerFolder("one", blob)), undefined);
    assert.equal(await tree.blobSize(blob), 1);
    assert.deepEqual(forgotten, ["one"]);
    assert.equal(await deletions.blob("one", blob), false);
    await close();
  });

  it("finds nothing where there is no such repository, manifest, tag or blob", async () => {
    const { deletions, forgotten, close } = await setUp();
    assert.equal(await deletions.manifest("none", first.digest), undefined);
    assert.equal(await deletions.manifest("one", blob), undefined);
    assert.equal(await deletions.tag("none", "a"), false);
    assert.equal(await deletions.tag("one", "z"), false);
    assert.equal(await deletions.blob("none", blob), false);
    assert.equal(await deletions.blob("two", blob), false);
    assert.deepEqual(forgotten, []);
    await close();
  });

  it("removes links that are damaged", async () => {
    const { driver, tree, deletions, close } = await setUp();
    const torn = new TextEncoder().encode("sha256:12");
    driver.putSync(currentLink("one", "a"), torn);
    driver.putSync(`${revisionFolder("one", second.digest)}/link`, torn);
    driver.putSync(`${layerFolder("one", blob)}/link`, torn);
    assert.equal(await deletions.tag("one", "a"), true);
    assert.deepEqual(await deletions.manifest("one", second.digest), { tags: ["c"] });
    assert.equal(await deletions.blob("one", blob), true);
    assert.deepEqual(await tags(tree, "one"), ["b"]);
    await close();
  });

  it("takes the tags that the tree has for a manifest, whatever the index says", async () => {
    const { driver, tree, metadata, deletions, reconciler, close } = await setUp();
    await reconciler.reconcile("one");
    // Another program: that changes no directory that the index is compared with.
    driver.putSync(currentLink("one", "c"), new TextEncoder().encode(first.digest));
    driver.putSync(currentLink("one", "b"), new TextEncoder().encode(second.digest));
    assert.deepEqual(metadata.tagsOf("one", first.digest), ["a", "b"]);
    assert.deepEqual(await deletions.manifest("one", first.digest), { tags: ["a", "c"] });
    assert.deepEqual(await tags(tree, "one"), ["b"]);
    await close();
  });

  it("takes a manifest whose link lies among those of layers", async () => {
    const { tree, deletions, close } = await setUp();
    await tree.unlinkRevision("one", first.digest, { folder: true });
    await tree.linkLayer("one", first.digest);
    assert.equal(await deletions.manifest("one", blob), undefined, "no other layer is one");
    assert.deepEqual(await deletions.manifest("one", first.digest), { tags: ["a", "b"] });
    assert.equal(await tree.layer("one", first.digest), undefined);
    await close();
  });

  it("is done where the times of what hung on it cannot be renewed, and says so", async () => {
    const driver = memoryDriver();
    const notices: string[] = [];
    const context = createContext({ driver, onNotice: ({ message }) => notices.push(message) });
    await context.tree.writeBlob(first.digest, first.bytes);
    await context.tree.linkRevision("one", first.digest);
    driver.touch = () => Promise.reject(new DrayError("DISK", "the file is somebody else's"));
    assert.deepEqual(await context.deletions.manifest("one", first.digest), { tags: [] });
    assert.deepEqual(notices, [
      "what hung on it may be collected before the grace has passed: the file is somebody else's",
    ]);
    await context.close();
  });

  // CVE-2026-41888: deleting by tag did not ask whether deleting was allowed.
  const ways: [name: string, (deletions: Deletions) => Promise<unknown>][] = [
    ["a manifest", (deletions) => deletions.manifest("one", first.digest)],
    ["a tag", (deletions) => deletions.tag("one", "a")],
    ["a blob", (deletions) => deletions.blob("one", blob)],
    ["a manifest that is not there", (deletions) => deletions.manifest("none", blob)],
    ["a tag that is not there", (deletions) => deletions.tag("none", "z")],
    ["a blob that is not there", (deletions) => deletions.blob("none", blob)],
  ];
  for (const [name, way] of ways)
    it(`asks the guard about ${name}`, async () => {
      const { tree, deletions, forgotten, settings, close } = await setUp();
      settings.readOnly = true;
      await assert.rejects(way(deletions), /read-only/);
      assert.deepEqual(await tags(tree, "one"), ["a", "b", "c"]);
      assert.notEqual(await tree.revision("one", first.digest), undefined);
      assert.equal(await tree.layer("one", blob), blob);
      assert.deepEqual(forgotten, []);
      await close();
    });

  it("asks the guard again after it waited", async () => {
    const { tree, locks, tagLocks, deletions, settings, close } = await setUp();
    const held = Promise.withResolvers<void>();
    const holders = [
      locks.hold({ shared: [first.digest, blob] }, () => held.promise),
      tagLocks.hold({ exclusive: ["one\0a"] }, () => held.promise),
    ];
    const waiting = ways.slice(0, 3).map(([, way]) => way(deletions));
    const results = Promise.allSettled(waiting);
    for (let i = 0; i < 5; i++) await turn();
    settings.readOnly = true;
    held.resolve();
    assert.deepEqual(
      (await results).map(({ status }) => status),
      ["rejected", "rejected", "rejected"],
    );
    await Promise.all(holders);
    assert.notEqual(await tree.revision("one", first.digest), undefined);
    assert.deepEqual(await tags(tree, "one"), ["a", "b", "c"]);
    await close();
  });

  it("waits for whoever uses the digest", async () => {
    const { tree, locks, deletions, close } = await setUp();
    const held = Promise.withResolvers<void>();
    const push = locks.hold({ shared: [first.digest, blob] }, () => held.promise);
    const both = Promise.all([deletions.manifest("one", first.digest), deletions.blob("one", blob)]);
    for (let i = 0; i < 20; i++) await turn();
    assert.notEqual(await tree.revision("one", first.digest), undefined);
    assert.equal(await tree.layer("one", blob), blob);
    held.resolve();
    assert.deepEqual(await both, [{ tags: ["a", "b"] }, true]);
    await push;
    await close();
  });

  it("leaves a tag alone that went to another manifest meanwhile", async () => {
    const { tree, metadata, reconciler, tagLocks, deletions, close } = await setUp();
    await reconciler.reconcile("one");
    const held = Promise.withResolvers<void>();
    const moved = tagLocks.hold({ exclusive: ["one\0b"] }, async () => {
      await held.promise;
      await reconciler.repositories.write(
        "one",
        () => tree.setTag("one", "b", second.digest),
        () => metadata.putTag("one", { name: "b", digest: second.digest, at: Date.now() }),
      );
    });
    const removed = deletions.manifest("one", first.digest);
    for (let i = 0; i < 20; i++) await turn();
    held.resolve();
    await moved;
    assert.deepEqual(await removed, { tags: ["a"] });
    assert.deepEqual(await tags(tree, "one"), ["b", "c"]);
    assert.equal((await tree.tag("one", "b"))?.digest, second.digest);
    await close();
  });

  it("untags before it unlinks, so that what is cut off leaves no tag without a manifest", async () => {
    const { driver, close } = await setUp();
    const removed: string[] = [];
    const watched = new Proxy(driver, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...given: unknown[]): unknown => {
          if (name === "remove") removed.push(given[0] as string);
          return value.apply(target, given);
        };
      },
    });
    const context = createContext({ driver: watched });
    await context.deletions.manifest("one", first.digest);
    const link = removed.indexOf(`${revisionFolder("one", first.digest)}/link`);
    assert.deepEqual(
      removed.slice(0, link).map((path) => path.slice(-7)),
      ["/tags/a", "/tags/b"],
    );
    await context.close();
    await close();
  });
});
