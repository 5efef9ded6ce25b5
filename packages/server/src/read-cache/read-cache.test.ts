import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { expect } from "../../test/crash/client.ts";
import { currentLink } from "../distribution-tree/index.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { type Driver, memoryDriver } from "../storage/index.ts";

/** What is remembered is not compared with the tree unless something changes. */
const open = (driver: Driver = memoryDriver()): Registry => createRegistry({ driver, recheckAfter: 1e9 });

const manifest = (n: number): Uint8Array =>
  encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations: { n: `${n}` } });
const [first, second] = [manifest(1), manifest(2)];
const [one, two] = [digestOf(first), digestOf(second)];

const push = (registry: Registry, body: Uint8Array, tag: string) =>
  expect(registry, `PUT /v2/a/manifests/${tag}`, [201], { body, type: mediaTypes.ociIndex });

const at = async (registry: Registry, name: string): Promise<string | undefined> =>
  (await expect(registry, `GET /v2/a/manifests/${name}`, [200, 404])).header("Docker-Content-Digest");

const listed = async (registry: Registry): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode((await expect(registry, "GET /v2/a/tags/list", [200])).bytes)).tags;

test("manifests and lists come from memory, and after each change of their repository from the tree", async () => {
  const driver = memoryDriver();
  const registry = open(driver);
  const { tree, manifests, reconciler } = registry.context;
  await push(registry, first, "t");
  let looks = 0;
  const [stat, read] = [driver.stat.bind(driver), driver.read.bind(driver)];
  Object.assign(driver, {
    stat: (path: string) => (looks++, stat(path)),
    read: (path: string) => (looks++, read(path)),
  });
  const seen = async (): Promise<unknown[]> => [
    await at(registry, "t"),
    await at(registry, one),
    await listed(registry),
  ];
  const both = async (): Promise<unknown[]> => {
    const answers = await seen();
    looks = 0;
    assert.deepEqual(await seen(), answers);
    return answers;
  };
  assert.deepEqual(await both(), [one, one, ["t"]]);
  assert.equal(looks, 0, "all of it was remembered");
  await push(registry, second, "t");
  assert.deepEqual(await both(), [two, one, ["t"]]);
  await push(registry, second, "u");
  assert.deepEqual(await both(), [two, one, ["t", "u"]]);
  await expect(registry, "DELETE /v2/a/manifests/t", [202]);
  assert.deepEqual(await both(), [undefined, one, ["u"]]);
  await expect(registry, `DELETE /v2/a/manifests/${one}`, [202]);
  assert.deepEqual(await both(), [undefined, undefined, ["u"]]);
  await registry.restore("a", one);
  assert.deepEqual(await both(), [undefined, one, ["u"]]);
  await registry.restore("a", "t");
  assert.deepEqual(await both(), [two, one, ["t", "u"]]);
  // A write that fails may have done half of it.
  const half = reconciler.repositories.write(
    "a",
    () => tree.setTag("a", "t", one).then(() => assert.fail("half")),
    () => {},
  );
  await assert.rejects(half, /half/);
  assert.equal(await at(registry, "t"), one);
  // Of another program.
  await tree.setTag("a", "t", two);
  await reconciler.rescan("a");
  assert.equal(await at(registry, "t"), two);
  assert.ok(manifests.bytes > 0);
  await registry.close();
});

test("what a write has overtaken is given to those who asked before it, is not kept, and nobody joins it", async () => {
  const driver = memoryDriver();
  const registry = open(driver);
  await push(registry, first, "t");
  const read = driver.read.bind(driver);
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  Object.assign(driver, {
    read: async (path: string) => {
      const bytes = await read(path);
      if (path !== currentLink("a", "t")) return bytes;
      Object.assign(driver, { read });
      reached.resolve();
      await goOn.promise;
      return bytes;
    },
  });
  const before = at(registry, "t");
  await reached.promise;
  await push(registry, second, "t");
  assert.equal(await at(registry, "t"), two);
  goOn.resolve();
  assert.equal(await before, one);
  assert.equal(await at(registry, "t"), two);
  await registry.close();
});

test("who looks for a manifest that goes meanwhile does not bring it back", async () => {
  const registry = open();
  await push(registry, first, "t");
  const { manifests } = registry.context;
  const has = async (digest: Digest): Promise<boolean> => (await manifests.find("a", digest)) !== undefined;
  for (let round = 0; round < 20; round++) {
    const looks = [has(one), expect(registry, `DELETE /v2/a/manifests/${one}`, [202]), has(one)];
    await Promise.all(looks);
    assert.equal(await has(one), false);
    await push(registry, first, "t");
    assert.equal(await has(one), true);
  }
  await registry.close();
});
