import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Digest, digestOf } from "dray/oci";
import { createContext } from "../context.ts";
import { blobPath } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { memoryDriver } from "../storage/index.ts";

const hour = 3_600_000;
const day = 24 * hour;
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** A registry that runs for a day, by a clock that may be set: with what is old, and what is not. */
const setUp = async () => {
  const clock = { wall: 1000 * day, steady: 0 };
  const pass = (milliseconds: number): void => {
    clock.wall += milliseconds;
    clock.steady += milliseconds;
  };
  const driver = memoryDriver({ now: () => clock.wall });
  const notices: Notice[] = [];
  const context = createContext({
    driver,
    now: () => clock.wall,
    elapsed: () => clock.steady,
    recheckAfter: 2000,
    gc: { grace: day, lease: hour, share: 1, untagged: 30 * day },
    onNotice: (notice) => notices.push(notice),
  });
  pass(day);
  const put = (words: string, age: number): Digest => {
    const digest = digestOf(text(words));
    driver.putSync(blobPath(digest), text(words), { mtime: clock.wall - age });
    return digest;
  };
  const [old, young] = [put("old", 8 * day), put("young", hour)];
  driver.putSync("docker/registry/v2/repositories/one/_manifests/tags/.keep", text(""));
  await context.uploads.begin("two", { owner: "" });
  const has = (digest: Digest): boolean => driver.getSync(blobPath(digest)) !== undefined;
  return { ...context, clock, pass, driver, notices, put, old, young, has };
};

describe("a clock that is set", () => {
  for (const [direction, by] of [
    ["forward", 40 * day],
    ["back", -40 * day],
  ] as const)
    it(`${direction}: nothing is collected for one lease, uploads among it, and it is told`, async () => {
      const { clock, pass, collector, uploads, leases, notices, old, young, has, close } = await setUp();
      leases.record("one", young);
      clock.wall += by;
      assert.deepEqual([leases.holds(young, "one"), uploads.isOpenIn("two")], [true, true]);
      const { notBefore, clockWentBy, blobs } = await collector.collect();
      assert.deepEqual([blobs, notBefore, clockWentBy], [0, clock.wall + hour, by]);
      assert.ok(notices.some(({ level, message }) => level === "warn" && message.includes(`went ${direction} by`)));
      assert.equal((await collector.collect({ dryRun: true })).notBefore, undefined, "a dry run does not wait");
      clock.wall -= by;
      assert.equal(
        (await collector.collect()).notBefore,
        clock.wall + hour,
        "nor is it believed at once that all is well",
      );
      pass(hour);
      assert.equal((await collector.collect()).blobs, 1);
      assert.deepEqual([has(old), has(young)], [false, true]);
      assert.equal(uploads.open, 1);
      await close();
    });

  it("while a run is going on makes nothing old for it", async () => {
    const { clock, collector, put, old, young, has, close } = await setUp();
    const others = Array.from({ length: 50 }, (_, i) => put(`other ${i}`, 8 * day));
    await collector.collect({
      onDecision: () => {
        clock.wall += 40 * day;
      },
    });
    assert.deepEqual([has(old), has(young), others.some(has)], [false, true, false]);
    await close();
  });

  it("does not end what is remembered for a while, and keeps nothing for longer", async () => {
    const { clock, pass, driver, reconciler, manifests, young, close } = await setUp();
    const tag = "docker/registry/v2/repositories/one/_manifests/tags/v1/current/link";
    driver.putSync(tag, text(young));
    assert.equal(await reconciler.reconcile("one"), true);
    assert.equal(await manifests.tag("one", "v1"), young);
    clock.wall -= 40 * day;
    driver.removeSync("docker/registry/v2/repositories/one");
    pass(2000);
    assert.deepEqual([await reconciler.reconcile("one"), await manifests.tag("one", "v1")], [false, undefined]);
    await close();
  });
});
