import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { expect } from "../../test/crash/client.ts";
import { repositoryPath, revisionFolder } from "../distribution-tree/index.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";
import type { Decision } from "./types.ts";

const day = 86_400_000;

const setUp = () => {
  const clock = { now: 1000 * day };
  const now = (): number => clock.now;
  const driver = memoryDriver({ now });
  const registry = createRegistry({ driver, now, recheckAfter: 0, gc: { grace: day, lease: 1000, share: 1 } });
  clock.now += 2000;
  return { clock, driver, registry };
};

const indexOf = (words: string): { body: Uint8Array; digest: Digest; type: string } => {
  const type = mediaTypes.ociIndex;
  const body = encodeJson({ schemaVersion: 2, mediaType: type, manifests: [], annotations: { words } });
  return { body, digest: digestOf(body), type };
};

/** An image, and what is signed of it. */
const push = async (registry: Registry, repository: string, words: string, tag: string): Promise<Digest> => {
  const pushed = indexOf(words);
  await expect(registry, `PUT /v2/${repository}/manifests/${tag}`, [201], pushed);
  return pushed.digest;
};

const signature = (digest: Digest, end = ".sig"): string => `${digest.replace(":", "-")}${end}`;

const catalog = async (registry: Registry): Promise<string[]> => {
  await registry.context.reconciler.refresh();
  const { bytes } = await expect(registry, "GET /v2/_catalog", [200]);
  return (JSON.parse(new TextDecoder().decode(bytes)) as { repositories: string[] }).repositories;
};

describe("gc --empty", () => {
  it("removes repositories that have had nothing for the grace, and nothing else", async () => {
    const { clock, driver, registry } = setUp();
    for (const repository of ["a", "a/b", "full", "full/emptied/deep"])
      await push(registry, repository, repository, "v1");
    await expect(registry, `PUT /v2/a/manifests/v2`, [201], indexOf("a"));
    for (const [repository, words] of [
      ["a", "a"],
      ["a/b", "a/b"],
      ["full/emptied/deep", "full/emptied/deep"],
    ] as const)
      await expect(registry, `DELETE /v2/${repository}/manifests/${indexOf(words).digest}`, [202]);
    driver.putSync(`${repositoryPath("a/b")}/_manifests/.DS_Store`, new Uint8Array(1));
    assert.equal((await registry.collect({ empty: true })).repositories, 0, "it may be undone");
    assert.deepEqual(await catalog(registry), ["a", "a/b", "full", "full/emptied/deep"]);
    clock.now += 2 * day;
    // What is noted of tags goes, and then there is nothing for the grace.
    await registry.collect();
    clock.now += 2 * day;
    assert.equal((await registry.collect()).repositories, 0, "only where it is wanted");
    const dry: Decision[] = [];
    const would = await registry.collect({ empty: true, dryRun: true, onDecision: (decision) => dry.push(decision) });
    assert.equal(would.repositories, 2);
    assert.deepEqual(
      dry.flatMap(({ kind, action, repository }) => (kind === "repository" && action === "remove" ? [repository] : [])),
      ["a", "full/emptied/deep"],
    );
    assert.deepEqual(await catalog(registry), ["a", "a/b", "full", "full/emptied/deep"]);
    assert.equal((await registry.collect({ empty: true })).repositories, 2);
    assert.deepEqual(await catalog(registry), ["a/b", "full"], "a file of somebody else's stays, and its folder");
    assert.equal(driver.listSync(repositoryPath("full/emptied")), undefined);
    await expect(registry, "GET /v2/full/manifests/v1", [200]);
    await push(registry, "a", "again", "v1");
    await expect(registry, "GET /v2/a/manifests/v1", [200]);
    await registry.close();
  });

  it("leaves one where an upload is open or a blob is linked", async () => {
    const { clock, registry } = setUp();
    const image = await push(registry, "a", "a", "v1");
    await expect(registry, `DELETE /v2/a/manifests/${image}`, [202]);
    for (let i = 0; i < 2; i++) {
      clock.now += 2 * day;
      await registry.collect();
    }
    await expect(registry, "POST /v2/a/blobs/uploads/", [202]);
    assert.equal((await registry.collect({ empty: true })).repositories, 0);
    const body = new Uint8Array([1]);
    await expect(registry, `POST /v2/a/blobs/uploads/?digest=${digestOf(body)}`, [201], { body });
    assert.equal((await registry.collect({ empty: true, lease: 0 })).repositories, 0);
    await registry.close();
  });
});

describe("gc --orphans", () => {
  const tagsOf = (decisions: readonly Decision[]): Record<string, string> =>
    Object.fromEntries(decisions.flatMap(({ kind, id = "", action }) => (kind === "tag" ? [[id, action]] : [])));

  it("removes what belongs to an image that was here and is nowhere, and lists the rest", async () => {
    const { clock, registry } = setUp();
    const [gone, here, moved] = [
      await push(registry, "a", "gone", "v1"),
      await push(registry, "a", "here", "v2"),
      await push(registry, "a", "moved", "v3"),
    ];
    await push(registry, "b", "moved", "v1");
    const never = indexOf("never pushed").digest;
    const names = [gone, here, moved, never].flatMap((digest) => [signature(digest), signature(digest, "")]);
    for (const name of [...names, "sha256-beef.sig", "latest"]) await push(registry, "a", `of ${name}`, name);
    for (const digest of [gone, moved]) await expect(registry, `DELETE /v2/a/manifests/${digest}`, [202]);
    const run = async (dryRun: boolean): Promise<Record<string, string>> => {
      const decisions: Decision[] = [];
      await registry.collect({ orphans: true, dryRun, onDecision: (decision) => decisions.push(decision) });
      return tagsOf(decisions);
    };
    const all = (action: string, of: Digest) => ({ [signature(of)]: action, [signature(of, "")]: action });
    clock.now += day / 2;
    assert.deepEqual(await run(false), { ...all("keep", gone), ...all("keep", never) }, "it may be restored");
    clock.now += 30 * day;
    await registry.collect();
    const expected = { ...all("remove", gone), ...all("keep", never) };
    assert.deepEqual(await run(true), expected);
    assert.deepEqual(await run(false), expected);
    for (const end of [".sig", ""]) {
      await expect(registry, `GET /v2/a/manifests/${signature(gone, end)}`, [404]);
      await expect(registry, `GET /v2/a/manifests/${indexOf(`of ${signature(gone, end)}`).digest}`, [404]);
      for (const digest of [here, moved, never])
        await expect(registry, `GET /v2/a/manifests/${signature(digest, end)}`, [200]);
    }
    await registry.restore("a", signature(gone));
    await expect(registry, `GET /v2/a/manifests/${signature(gone)}`, [200]);
    await registry.close();
  });

  it("knows that an image was here by the history of tags, also where its folder is gone", async () => {
    const { clock, driver, registry } = setUp();
    const image = await push(registry, "a", "image", "latest");
    await push(registry, "a", "next", "latest");
    await push(registry, "a", "signature", signature(image));
    await registry.context.deletions.manifest("a", image);
    driver.removeSync(revisionFolder("a", image));
    clock.now += 2 * day;
    assert.equal((await registry.collect({ orphans: true })).tags, 1);
    await registry.close();
  });

  it("removes nothing of an image whose link lies among those of layers", async () => {
    const { clock, driver, registry } = setUp();
    const image = await push(registry, "a", "image", "latest");
    await push(registry, "a", "signature", signature(image));
    driver.removeSync(revisionFolder("a", image));
    clock.now += 2 * day;
    await registry.context.reconciler.refresh();
    assert.equal((await registry.collect({ orphans: true })).tags, 0);
    await expect(registry, `GET /v2/a/manifests/${signature(image)}`, [200]);
    await registry.close();
  });
});
