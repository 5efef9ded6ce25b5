import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf } from "dray/oci";
import { Tree } from "../distribution-tree/index.ts";
import { memoryDriver } from "../storage/index.ts";
import { diskUsage, type RepositoryUsage } from "./disk-usage.ts";

test("counts what each repository holds, alone and with others, and what nobody holds", async () => {
  const driver = memoryDriver();
  const tree = new Tree(driver);
  const put = async (size: number, fill: number): Promise<Digest> => {
    const bytes = new Uint8Array(size).fill(fill);
    const digest = digestOf(bytes);
    await tree.writeBlob(digest, bytes);
    return digest;
  };
  const [shared, mine, yours, nobodys] = [await put(100, 1), await put(20, 2), await put(3, 3), await put(7, 4)];
  const [first, second] = [await put(1000, 5), await put(2000, 6)];
  for (const [repository, manifest, layers] of [
    ["a/one", first, [shared, mine]],
    ["b/two", second, [shared, yours]],
  ] as const) {
    for (const layer of layers) await tree.linkLayer(repository, layer);
    await tree.linkRevision(repository, manifest);
    await tree.setTag(repository, "1", manifest);
  }
  await tree.setTag("b/two", "2", second);
  // A link to data that is gone holds nothing.
  await tree.linkLayer("b/two", digestOf(new Uint8Array(5)));

  driver.putSync(`dray/quarantine/sha256/${"ab".repeat(32)}`, new Uint8Array(42));
  const each: RepositoryUsage[] = [];
  const total = await diskUsage({ tree, driver, onRepository: (usage) => each.push(usage) });
  assert.deepEqual(each, [
    { repository: "a/one", tags: 1, manifests: 1, blobs: 2, bytes: 1120, own: 1020 },
    { repository: "b/two", tags: 2, manifests: 1, blobs: 2, bytes: 2103, own: 2003 },
  ]);
  assert.deepEqual(total, { repositories: 2, blobs: 6, bytes: 3130, unlinked: 7, quarantined: 42 });
  assert.equal(await tree.blobSize(nobodys), 7);
});

test("ends when nobody wants it any more", async () => {
  const driver = memoryDriver();
  const tree = new Tree(driver);
  await tree.linkLayer("a", digestOf(new Uint8Array(1)));
  await tree.linkRevision("a", digestOf(new Uint8Array(1)));
  await assert.rejects(diskUsage({ tree, driver, signal: AbortSignal.abort() }), { code: "ABORTED" });
});
