import assert from "node:assert/strict";
import { test } from "node:test";
import { LruCache } from "./lru-cache.ts";

test("what was not used for longest goes first, and nothing outgrows the bound", () => {
  const memory = new LruCache<string, number>(80);
  for (let i = 0; i < 8; i++) memory.set(`k${i}`, i, 10);
  assert.equal(memory.get("k0"), 0);
  memory.set("k8", 8, 10);
  assert.equal(memory.get("k1"), undefined);
  assert.equal(memory.get("k0"), 0);
  assert.equal(memory.weight, 80);
  memory.set("large", 1, 11);
  assert.equal(memory.get("large"), undefined);
  memory.delete("k0");
  memory.delete("k0");
  assert.equal(memory.weight, 70);
});

test("with a larger share for one, what is larger than all of it drives nothing out, and what leaves leaves its room", () => {
  const memory = new LruCache<number, string>(4, { largest: 4 });
  memory.set(0, "a", 1);
  memory.set(1, "too large", 5);
  assert.equal(memory.get(1), undefined);
  assert.equal(memory.get(0), "a");
  for (let i = 0; i < 20; i++) memory.set(0, "b", 1);
  memory.set(1, "c", 3);
  assert.ok(memory.get(0) && memory.get(1));
  memory.delete(0);
  memory.set(2, "d", 1);
  assert.ok(memory.get(1) && memory.get(2));
  memory.clear();
  assert.equal(memory.get(1), undefined);
  assert.equal(memory.weight, 0);
});

test("without weights it counts", () => {
  const memory = new LruCache<number, number>(10);
  for (let i = 0; i < 11; i++) memory.set(i, i);
  assert.deepEqual([memory.get(0), memory.get(1), memory.weight], [undefined, 1, 10]);
});
