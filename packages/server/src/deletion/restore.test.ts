import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { expect } from "../../test/crash/client.ts";
import { blobFolder } from "../distribution-tree/index.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";

const [hour, day] = [3_600_000, 86_400_000];
const type = mediaTypes.ociManifest;
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

const setUp = (retention: { untagged?: number } = {}) => {
  const clock = { now: 1000 * day };
  const now = (): number => clock.now;
  const driver = memoryDriver({ now });
  const gc = { grace: day, lease: hour, share: 1, ...retention };
  const registry = createRegistry({ driver, now, recheckAfter: 0, gc });
  clock.now += 2 * hour;
  return { clock, driver, registry };
};

const pushBlob = async (registry: Registry, repository: string, words: string): Promise<Digest> => {
  const body = text(words);
  const digest = digestOf(body);
  await expect(registry, `POST /v2/${repository}/blobs/uploads/?digest=${digest}`, [201], { body });
  return digest;
};

/** An image of one layer, under a tag, or by its digest. */
const pushImage = async (registry: Registry, repository: string, words: string, name?: string): Promise<Digest> => {
  const [config, layer] = [await pushBlob(registry, repository, "{}"), await pushBlob(registry, repository, words)];
  const described = (digest: Digest, mediaType: string, size: number) => ({ mediaType, digest, size });
  const body = encodeJson({
    schemaVersion: 2,
    mediaType: type,
    config: described(config, mediaTypes.ociConfig, 2),
    layers: [described(layer, "application/vnd.example.layer", words.length)],
  });
  await expect(registry, `PUT /v2/${repository}/manifests/${name ?? digestOf(body)}`, [201], { body, type });
  return digestOf(body);
};

const pushIndex = async (registry: Registry, repository: string, children: Digest[], tag: string): Promise<Digest> => {
  const manifests = children.map((digest) => ({ mediaType: type, digest, size: 1 }));
  const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  await expect(registry, `PUT /v2/${repository}/manifests/${tag}`, [201], { body, type: mediaTypes.ociIndex });
  return digestOf(body);
};

describe("a deletion", () => {
  it("can be undone for the grace, however old everything was, with all that hung on it", async () => {
    for (const retention of [{}, { untagged: 0 }]) {
      const { clock, registry } = setUp(retention);
      const child = await pushImage(registry, "a", "layer");
      const index = await pushIndex(registry, "a", [child], "v1");
      clock.now += 100 * day;
      await expect(registry, `DELETE /v2/a/manifests/${index}`, [202]);
      clock.now += day - hour;
      const { manifests, layers, blobs } = await registry.collect();
      assert.deepEqual([manifests, layers, blobs], [0, 0, 0], JSON.stringify(retention));
      await expect(registry, "GET /v2/a/manifests/v1", [404]);
      assert.deepEqual(await registry.restore("a", index), {
        digest: index,
        kind: "manifest",
        links: 1,
        putBack: [],
        missing: [],
        tags: [],
        formerTags: [{ tag: "v1" }],
      });
      await expect(registry, `GET /v2/a/manifests/${index}`, [200]);
      await expect(registry, `GET /v2/a/blobs/${digestOf(text("layer"))}`, [200]);
      assert.deepEqual(await registry.restore("a", "v1"), {
        digest: index,
        kind: "manifest",
        links: 0,
        missing: [],
        putBack: [],
        tag: "v1",
        tags: ["v1"],
        formerTags: [],
      });
      await expect(registry, "GET /v2/a/manifests/v1", [200]);
      clock.now += 100 * day;
      assert.equal((await registry.collect()).manifests, 0, "it is as it was");
      await registry.close();
    }
  });

  it("of an index and of its children one by one is undone by one command", async () => {
    const { registry } = setUp();
    const children = [await pushImage(registry, "a", "one"), await pushImage(registry, "a", "two")];
    const index = await pushIndex(registry, "a", children, "v1");
    for (const digest of [index, ...children]) await expect(registry, `DELETE /v2/a/manifests/${digest}`, [202]);
    for (const words of ["one", "two", "{}"])
      await expect(registry, `DELETE /v2/a/blobs/${digestOf(text(words))}`, [202]);
    assert.equal((await registry.restore("a", "v1")).links, 6);
    for (const name of ["v1", ...children]) await expect(registry, `GET /v2/a/manifests/${name}`, [200]);
    for (const words of ["one", "two", "{}"]) await expect(registry, `GET /v2/a/blobs/${digestOf(text(words))}`, [200]);
    await registry.close();
  });

  it("of a tag is undone by its name, also when that was pushed over", async () => {
    const { clock, registry } = setUp({ untagged: 30 * day });
    const first = await pushImage(registry, "a", "first", "latest");
    clock.now += 100 * day;
    await expect(registry, "DELETE /v2/a/manifests/latest", [202]);
    clock.now += 29 * day;
    assert.equal((await registry.collect()).manifests, 0, "it lost its tag 29 days ago, not 129");
    assert.equal((await registry.restore("a", "latest")).digest, first);
    await pushImage(registry, "a", "second", "latest");
    assert.equal((await registry.restore("a", "latest")).digest, first);
    const answer = await expect(registry, "HEAD /v2/a/manifests/latest", [200]);
    assert.equal(answer.header("Docker-Content-Digest"), first);
    await expect(registry, "DELETE /v2/a/manifests/latest", [202]);
    await pushImage(registry, "a", "third", "latest");
    assert.equal((await registry.restore("a", "latest")).digest, first, "its history begins with the last push");
    await registry.close();
  });

  it("of a manifest names the tags that it had, and puts those back that are gone where that is wanted", async () => {
    const { registry } = setUp();
    const first = await pushImage(registry, "a", "first", "v1");
    for (const tag of ["moved", "latest"]) await pushImage(registry, "a", "first", tag);
    const second = await pushImage(registry, "a", "second", "moved");
    const nothing = await registry.restore("a", first);
    assert.deepEqual(
      [nothing.links, nothing.tags, nothing.formerTags],
      [0, ["latest", "v1"], [{ tag: "moved", now: second }]],
    );
    await expect(registry, `DELETE /v2/a/manifests/${first}`, [202]);
    const found = await registry.restore("a", first);
    const former = [{ tag: "latest" }, { tag: "moved", now: second }, { tag: "v1" }];
    assert.deepEqual([found.links, found.tags, found.formerTags], [1, [], former]);
    await pushImage(registry, "a", "second", "v1");
    const put = await registry.restore("a", first, { tags: true });
    assert.deepEqual([put.links, put.putBack, put.tags], [0, ["latest"], ["latest"]]);
    assert.equal((await expect(registry, "HEAD /v2/a/manifests/latest", [200])).header("Docker-Content-Digest"), first);
    for (const tag of ["moved", "v1"])
      assert.equal(
        (await expect(registry, `HEAD /v2/a/manifests/${tag}`, [200])).header("Docker-Content-Digest"),
        second,
        `${tag} stands for something else since, and stays`,
      );
    const check = await Array.fromAsync(registry.check());
    assert.deepEqual(check, []);
    await registry.close();
  });

  it("puts no tag back that somebody pushed or deleted anew while that was waited for, and forgets nothing of it", async () => {
    const { registry } = setUp();
    const { tagLocks, tree } = registry.context;
    const [one, other] = [await pushImage(registry, "a", "one", "v1"), await pushImage(registry, "a", "two", "other")];
    await expect(registry, "DELETE /v2/a/manifests/v1", [202]);
    const meanwhile = async (change: () => Promise<void>): Promise<readonly string[]> => {
      let restoring: ReturnType<typeof registry.restore> | undefined;
      await tagLocks.hold({ exclusive: ["a\0v1"] }, async () => {
        restoring = registry.restore("a", one, { tags: true });
        for (let i = 0; i < 200; i++) await new Promise(setImmediate);
        await change();
      });
      return (await restoring)?.tags ?? [];
    };
    assert.deepEqual(await meanwhile(() => tree.setTag("a", "v1", other)), []);
    assert.deepEqual((await tree.notes.deletedTag("a", "v1"))?.digest, one);
    await tree.removeTag("a", "v1");
    assert.deepEqual(await meanwhile(() => tree.notes.noteDeletedTag("a", "v1", other)), []);
    assert.equal((await registry.restore("a", "v1")).digest, other);
    await registry.close();
  });

  it("of a blob is undone; of one whose data is gone that is said, and nothing is linked", async () => {
    const { clock, driver, registry } = setUp();
    const blob = await pushBlob(registry, "a", "blob");
    const image = await pushImage(registry, "a", "layer", "v1");
    await expect(registry, `DELETE /v2/a/blobs/${blob}`, [202]);
    assert.deepEqual(await registry.restore("a", blob), {
      digest: blob,
      kind: "blob",
      links: 1,
      putBack: [],
      missing: [],
      tags: [],
      formerTags: [],
    });
    await expect(registry, `GET /v2/a/blobs/${blob}`, [200]);
    await expect(registry, `DELETE /v2/a/manifests/${image}`, [202]);
    clock.now += 2 * day;
    driver.removeSync(blobFolder(digestOf(text("layer"))));
    await assert.rejects(registry.restore("a", image), {
      code: "NOT_FOUND",
      message: `a@${image} cannot be restored: ${digestOf(text("layer"))}, which it needs, is gone`,
    });
    await registry.collect();
    await assert.rejects(registry.restore("a", image), { message: `a@${image} cannot be restored: its data is gone` });
    await expect(registry, `GET /v2/a/manifests/${image}`, [404]);
    await assert.rejects(registry.restore("a", "none"), /nothing is known of what a:none stood for/);
    await registry.close();
  });

  it("keeps the type that a manifest was pushed with, which its bytes do not show", async () => {
    const { registry } = setUp();
    await pushBlob(registry, "a", "{}");
    const config = { mediaType: mediaTypes.ociConfig, digest: digestOf(text("{}")), size: 2 };
    const body = encodeJson({ schemaVersion: 2, config, layers: [] });
    const docker = mediaTypes.dockerManifest;
    await expect(registry, "PUT /v2/a/manifests/v1", [201], { body, type: docker });
    await expect(registry, `DELETE /v2/a/manifests/${digestOf(body)}`, [202]);
    await registry.restore("a", "v1");
    const answer = await expect(registry, "GET /v2/a/manifests/v1", [200]);
    assert.equal(answer.header("Content-Type"), docker);
    await registry.close();
  });

  it("cannot be undone while nothing may be written", async () => {
    const { registry } = setUp();
    registry.setReadOnly(true);
    await assert.rejects(registry.restore("a", "v1"), { code: "DENIED" });
    await registry.close();
  });
});
