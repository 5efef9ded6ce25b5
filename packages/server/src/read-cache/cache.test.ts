import assert from "node:assert/strict";
import { test } from "node:test";
import { LruCache } from "./lru-cache.ts";
import { SingleFlight } from "./single-flight.ts";

test("what was not used for longest goes first, and nothing outgrows the bound", () => {
  const memory = new LruCache<number>(80);
  for (let i = 0; i < 8; i++) memory.set(`k${i}`, i, 10);
  assert.equal(memory.get("k0"), 0);
  memory.set("k8", 8, 10);
  assert.equal(memory.get("k1"), undefined);
  assert.equal(memory.get("k0"), 0);
  assert.equal(memory.bytes, 80);
  memory.set("large", 1, 11);
  assert.equal(memory.get("large"), undefined);
  memory.delete("k0");
  memory.delete("k0");
  assert.equal(memory.bytes, 70);
});

test("a fill that a write overtook is not kept, and who comes after it reads again", async () => {
  const fills = new SingleFlight();
  const kept: string[] = [];
  const gates = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
  let reads = 0;
  const load = (): Promise<string> =>
    fills.load(
      "key",
      () => (gates[reads++] as (typeof gates)[0]).promise,
      (value) => kept.push(value),
    );
  const [first, second] = [load(), load()];
  assert.equal(reads, 1);
  fills.forget("key");
  const third = load();
  assert.equal(reads, 2);
  gates[0].resolve("old");
  assert.deepEqual([await first, await second], ["old", "old"]);
  assert.deepEqual(kept, []);
  gates[1].resolve("new");
  assert.equal(await third, "new");
  assert.deepEqual(kept, ["new"]);
});

test("a fill that fails fails for all who wait, and is tried again by the next", async () => {
  const fills = new SingleFlight();
  const kept: number[] = [];
  const load = (read: () => Promise<number>): Promise<number> => fills.load("key", read, (value) => kept.push(value));
  const fail = (): Promise<number> => load(() => Promise.reject(new Error("disk")));
  await Promise.all([assert.rejects(fail(), /disk/), assert.rejects(fail(), /disk/)]);
  assert.deepEqual(kept, []);
  assert.equal(await load(async () => 1), 1);
});
