import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "dray/oci";
import { blobsRoot } from "../../src/distribution-tree/paths.ts";
import { createRegistry } from "../../src/registry.ts";
import { type Driver, memoryDriver } from "../../src/storage/index.ts";
import { expect } from "./client.ts";

const bytes = new TextEncoder().encode("pushed before, wanted again");
const digest = digestOf(bytes);
const upload = `POST /v2/app/blobs/uploads/?digest=${digest}`;

/** Garbage of an earlier push, and a push of the same between the collector's look at the links and its look at the data. */
const collectWhilePushing = async (lease: number): Promise<void> => {
  const driver = memoryDriver();
  let act: (() => Promise<void>) | undefined;
  const list: Driver["list"] = async (path) => {
    const work = path === blobsRoot ? act : undefined;
    if (work !== undefined) act = undefined;
    await work?.();
    return driver.list(path);
  };
  const watched = new Proxy<Driver>(driver, {
    get: (target, name) => {
      const value: unknown = name === "list" ? list : Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  let now = Date.now();
  const registry = createRegistry({ driver: watched, now: () => now, gc: { grace: 0, lease } });
  await expect(registry, upload, [201], { body: bytes });
  await expect(registry, `DELETE /v2/app/blobs/${digest}`, [202]);
  now += 3_600_000;
  act = async () => {
    await expect(registry, upload, [201], { body: bytes });
    // The promise ends, and another one sweeps out what has ended, long before the run does.
    now += 60_000;
    const other = new Uint8Array(1);
    await expect(registry, `POST /v2/other/blobs/uploads/?digest=${digestOf(other)}`, [201], { body: other });
    now += 60_000;
  };
  await registry.collect();
  assert.equal(act, undefined);
  const { bytes: served } = await expect(registry, `GET /v2/app/blobs/${digest}`, [200]);
  assert.deepEqual(served, bytes);
  await registry.close();
};

for (const lease of [0, 5000])
  test(`data whose link is new is not collected, though its lease of ${lease} ms has ended`, () =>
    collectWhilePushing(lease));
