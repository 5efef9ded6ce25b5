import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DrayError } from "dray/errors";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { createContext } from "../context.ts";
import { blobFolder, blobPath, layerFolder, layersPath, revisionFolder, tagsPath } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { memoryDriver } from "../storage/index.ts";

const day = 86_400_000;
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** Two repositories with an image and a loose blob each, all of it old, and a store that fails where it is told to. */
const setUp = async ({ untagged }: { untagged?: number } = {}) => {
  const clock = { now: 1000 * day };
  const driver = memoryDriver({ now: () => clock.now });
  const notices: Notice[] = [];
  const gc = { grace: day, lease: 1000, share: 1 };
  const context = createContext({
    driver,
    now: () => clock.now,
    recheckAfter: 0,
    gc: untagged === undefined ? gc : { ...gc, untagged },
    onNotice: (notice) => notices.push(notice),
  });
  const broken = new Set<string>();
  for (const name of ["read", "open", "list", "remove"] as const) {
    const method = driver[name].bind(driver) as (path: string, ...rest: unknown[]) => Promise<never>;
    const faulty = (path: string, ...rest: unknown[]): Promise<never> =>
      broken.has(`${name} ${path}`)
        ? Promise.reject(new DrayError("DISK", `cannot ${name} ${path}: permission denied (EACCES)`))
        : method(path, ...rest);
    Object.assign(driver, { [name]: faulty });
  }
  const old = { mtime: clock.now - 100 * day };
  const put = (bytes: Uint8Array): Digest => {
    driver.putSync(blobPath(digestOf(bytes)), bytes, old);
    return digestOf(bytes);
  };
  const link = (repository: string, words: string): Digest => {
    const digest = put(text(words));
    driver.putSync(`${layerFolder(repository, digest)}/link`, text(digest), old);
    return digest;
  };
  const image = (repository: string): Digest => {
    const layer = link(repository, `layer of ${repository}`);
    const config = { mediaType: "application/vnd.example", digest: layer, size: 1 };
    const digest = put(encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }));
    driver.putSync(`${revisionFolder(repository, digest)}/link`, text(digest), old);
    return digest;
  };
  const images = { one: image("one"), two: image("two") };
  const loose = { one: link("one", "loose one"), two: link("two", "loose two") };
  const orphan = put(text("orphan"));
  clock.now += day;
  const has = (digest: Digest): boolean => driver.getSync(blobPath(digest)) !== undefined;
  const linked = (repository: string, digest: Digest): boolean =>
    driver.getSync(`${layerFolder(repository, digest)}/link`) !== undefined;
  return { ...context, driver, notices, broken, images, loose, orphan, has, linked };
};

describe("what cannot be read or removed", () => {
  it("an unreadable manifest holds the blobs of its repository and of no other, and is whole again when it can be read", async () => {
    const { collector, broken, images, loose, orphan, has, linked, notices, close } = await setUp({ untagged: 0 });
    broken.add(`read ${blobPath(images.one)}`);
    const { held, unreadable, layers, blobs, troubles } = await collector.collect();
    assert.deepEqual(
      held.map(({ repository }) => repository),
      ["one"],
    );
    assert.deepEqual(unreadable, [{ repository: "one", digest: images.one }]);
    // Of the other: its image without a tag, with its layer, and what is loose.
    assert.deepEqual([layers, blobs, troubles], [2, 4, 0]);
    assert.deepEqual([linked("one", loose.one), has(loose.one), has(images.one)], [true, true, true]);
    assert.deepEqual([linked("two", loose.two), has(loose.two), has(orphan)], [false, false, false]);
    assert.ok(
      notices.some(({ message }) => message.includes(blobPath(images.one))),
      "its path is told",
    );
    broken.clear();
    const healed = await collector.collect();
    assert.deepEqual([healed.held, healed.manifests, healed.blobs], [[], 1, 3]);
    await close();
  });

  for (const [what, folder] of [
    ["links", `${layersPath("one")}/sha256`],
    ["tags", tagsPath("one")],
    ["a repository", "docker/registry/v2/repositories/one"],
  ] as const)
    it(`an unreadable folder of ${what} stops the sweep of blobs, and nothing else`, async () => {
      const { collector, driver, broken, loose, orphan, has, linked, notices, close } = await setUp();
      if (what === "tags") driver.putSync(`${folder}/v1/current/link`, text("sha256:12"));
      broken.add(`list ${folder}`);
      const { unswept, layers, blobs, troubles } = await collector.collect();
      assert.match(unswept ?? "", new RegExp(`cannot list ${folder}`));
      assert.deepEqual([layers, blobs], [1, 0]);
      assert.ok(troubles > 0);
      assert.deepEqual([linked("one", loose.one), linked("two", loose.two)], [true, false]);
      for (const digest of [loose.one, loose.two, orphan]) assert.equal(has(digest), true);
      assert.ok(notices.some(({ level, message }) => level === "warn" && /gc swept no blobs/.test(message)));
      broken.clear();
      if (what === "tags") driver.removeSync(folder);
      await close();
    });

  it("a link, a blob or a manifest that cannot be removed is told with its path, counted and passed", async () => {
    const { collector, broken, images, loose, orphan, has, linked, notices, close } = await setUp({ untagged: 0 });
    broken.add(`remove ${layerFolder("one", loose.one)}`);
    broken.add(`remove ${blobFolder(orphan)}`);
    broken.add(`remove ${revisionFolder("two", images.two)}`);
    const { manifests, troubles, unswept } = await collector.collect();
    assert.deepEqual([manifests, troubles, unswept], [1, 3, undefined]);
    assert.deepEqual([linked("one", loose.one), has(loose.one)], [true, true], "no link without its data");
    assert.deepEqual([has(images.two), linked("two", digestOf(text("layer of two")))], [true, true]);
    assert.deepEqual([has(images.one), has(loose.two), has(orphan)], [false, false, true]);
    for (const path of [layerFolder("one", loose.one), blobFolder(orphan), revisionFolder("two", images.two)])
      assert.ok(
        notices.some(({ message }) => message.includes(path)),
        path,
      );
    broken.clear();
    const again = await collector.collect();
    assert.deepEqual([again.manifests, again.troubles, has(orphan), has(images.two)], [1, 0, false, false]);
    await close();
  });

  for (const name of [".snapshot", "one/.snapshot", "@eaDir"])
    it(`what can be no repository by its name stops nothing: ${name}`, async () => {
      const { collector, driver, broken, orphan, has, images, close } = await setUp();
      driver.putSync(`docker/registry/v2/repositories/${name}/hourly.0/x`, text("x"));
      broken.add(`list docker/registry/v2/repositories/${name}`);
      const { unswept, troubles } = await collector.collect();
      assert.deepEqual([unswept, troubles, has(orphan), has(images.one)], [undefined, 1, false, true]);
      await close();
    });

  it("a part of the pool that cannot be listed is passed, and the rest is swept", async () => {
    const { collector, broken, loose, orphan, has, close } = await setUp();
    broken.add(`list ${blobFolder(orphan).split("/").slice(0, -1).join("/")}`);
    const { troubles, blobs } = await collector.collect();
    assert.equal(troubles, 1);
    assert.ok(blobs >= 1 && has(orphan) && !has(loose.two));
    await close();
  });
});

describe("what is none of the tree's", () => {
  it("costs one warning with its path, and stays", async () => {
    const { collector, driver, notices, has, orphan, images, close } = await setUp();
    const strangers = [
      "docker/registry/v2/blobs/.DS_Store",
      "docker/registry/v2/blobs/sha256/@eaDir/x",
      `${blobFolder(images.one)}/../.nfs0001`.replace(/[^/]+\/\.\.\//, ""),
      `${layersPath("one")}/sha256/.DS_Store`,
      "docker/registry/v2/repositories/one/_manifests/revisions/sha256/Thumbs.db",
      "docker/registry/v2/repositories/one/_manifests/tags/@eaDir/v1@SynoEAStream",
      "docker/registry/v2/repositories/@eaDir/one@SynoEAStream",
      "docker/registry/v2/repositories/lost+found/1",
    ];
    for (const path of strangers) driver.putSync(path, text("x"));
    const { troubles, held, unswept } = await collector.collect();
    assert.deepEqual([troubles, held, unswept], [0, [], undefined]);
    assert.equal(has(orphan), false);
    for (const path of strangers) assert.notEqual(driver.getSync(path), undefined, path);
    const told = notices.filter(({ message }) => /none of a registry's/.test(message));
    assert.equal(told.length, 1);
    assert.match(told[0]?.message ?? "", /^\d+ things in the tree .*blobs\/\.DS_Store|sha256\/@eaDir/);
    await close();
  });
});

describe("data to which nothing leads", () => {
  it("stays where there is not one repository, unless the operator says that none is to be there", async () => {
    const { driver, collector, images, orphan, has, notices, close } = await setUp();
    driver.removeSync("docker/registry/v2/repositories");
    const { blobs, unswept } = await collector.collect({ lease: 0 });
    assert.deepEqual([blobs, has(orphan), has(images.one)], [0, true, true]);
    assert.match(unswept ?? "", /not one repository/);
    assert.match(notices.at(-1)?.message ?? "", /gc swept no blobs.*--empty/);
    assert.equal((await collector.collect({ lease: 0, empty: true })).unswept, undefined);
    assert.ok(!has(orphan) && !has(images.one));
    await close();
  });

  it("stays where GitLab's registry keeps the links in a database", async () => {
    const { driver, collector, orphan, has, close } = await setUp();
    driver.putSync("docker/registry/lockfiles/database-in-use", text(""));
    assert.match((await collector.collect({ lease: 0 })).unswept ?? "", /database-in-use/);
    assert.ok(has(orphan));
    await close();
  });
});
