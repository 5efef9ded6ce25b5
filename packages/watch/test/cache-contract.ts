import assert from "node:assert/strict";
import { test } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { type Cache, manifestKey, parseRepository } from "../src/index.ts";

/** What every cache does, whatever it lies in. `now`: the time that the cache goes by, in milliseconds. */
export const testCache = (cache: () => Cache, now: () => number): void => {
  const key = (tag: string): string => manifestKey(parseRepository("alpine"), tag);
  const soon = (): number => Math.floor(now() / 1000) * 1000 + 60_000;

  test("gives back what was set, with its deadline, and nothing where nothing was", async () => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    for (const [tag, bytes] of [
      ["bytes", value],
      ["empty", Buffer.alloc(0)],
      ["view", value.subarray(7, 99)],
    ] as const) {
      const deadline = soon();
      await cache().set(key(tag), bytes, deadline);
      const found = await cache().get(key(tag));
      assert.deepEqual(Buffer.from(found?.value ?? []), bytes, tag);
      assert.equal(found?.deadline, deadline, tag);
    }
    assert.equal(await cache().get(key("never")), undefined);
  });

  test("what was set last counts, and what was deleted is gone", async () => {
    await cache().set(key("twice"), Buffer.from("1"), soon());
    await cache().set(key("twice"), Buffer.from("2"), soon() + 1000);
    const found = await cache().get(key("twice"));
    assert.equal(Buffer.from(found?.value ?? []).toString(), "2");
    assert.equal(found?.deadline, soon() + 1000);
    await cache().delete(key("twice"));
    assert.equal(await cache().get(key("twice")), undefined);
    await cache().delete(key("twice"));
  });

  test("what is past its deadline is still there, and one of months ahead is no mistake", async () => {
    for (const distance of [-60_000, 0, 40 * 86_400_000, 400 * 86_400_000]) {
      await cache().set(key("far"), Buffer.from("1"), soon() + distance);
      assert.equal((await cache().get(key("far")))?.deadline, soon() + distance, `${distance}`);
    }
  });

  test("values of megabytes, and smaller ones after them, under keys of any length", async () => {
    const random = Buffer.from(seededBytes("cache", 3 * 2 ** 20 + 5));
    for (const name of [key("large"), manifestKey(parseRepository(`r.example/${"n".repeat(230)}`), "t".repeat(128))])
      for (const bytes of [
        Buffer.from("small"),
        random,
        Buffer.alloc(5 * 2 ** 20, "text"),
        Buffer.from("small again"),
      ]) {
        await cache().set(name, bytes, soon());
        const found = await cache().get(name);
        assert.ok(bytes.equals(found?.value ?? Buffer.from("nothing")), `${name.length}: ${bytes.byteLength}`);
      }
    await cache().set(key("large"), random, soon());
    await cache().delete(key("large"));
    assert.equal(await cache().get(key("large")), undefined);
  });

  test("a signal that has been given ends every call", async () => {
    const options = { signal: AbortSignal.abort() };
    const isAborted = (error: unknown): boolean => isDrayError(error, "ABORTED");
    await assert.rejects(cache().get(key("a"), options), isAborted);
    await assert.rejects(cache().set(key("a"), Buffer.alloc(1), soon(), options), isAborted);
    await assert.rejects(cache().delete(key("a"), options), isAborted);
  });
};
