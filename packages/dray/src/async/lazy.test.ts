import assert from "node:assert/strict";
import { test } from "node:test";
import { Lazy, LazyMap } from "./lazy.ts";

test("a lazy value is made once, for all who ask, until it is taken away", async () => {
  let made = 0;
  const lazy = new Lazy<number>();
  assert.equal(await lazy.now(), undefined);
  assert.deepEqual(await Promise.all([lazy.get(async () => ++made), lazy.get(async () => ++made)]), [1, 1]);
  assert.deepEqual([await lazy.now(), await lazy.take(), await lazy.take()], [1, 1, undefined]);
  assert.equal(await lazy.get(async () => ++made), 2);
});

test("a failure reaches all who wait and is not remembered", async () => {
  const values = new LazyMap<string, string>();
  const fail = (): Promise<string> => Promise.reject(new Error("broken"));
  const both = [values.get("k", fail), values.get("k", async () => "joined")];
  for (const each of both) await assert.rejects(each, /broken/);
  assert.equal(await values.get("k", async () => "fine"), "fine");
  assert.equal(await values.get("other", async () => "another"), "another");
});
