import assert from "node:assert/strict";
import { test } from "node:test";
import { mapOrdered } from "./map-ordered.ts";

test("results come in the order of the items, whichever is ready first, and never too many are worked on", async () => {
  const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let begun = 0;
  const results = Array.fromAsync(
    mapOrdered([0, 1, 2], 2, async (item) => {
      begun++;
      await gates[item]?.promise;
      return item * 10;
    }),
  );
  gates[1]?.resolve();
  await new Promise(setImmediate);
  assert.equal(begun, 2);
  gates[0]?.resolve();
  gates[2]?.resolve();
  assert.deepEqual(await results, [0, 10, 20]);
});

test("the first failure in that order ends it, and no later one is left unhandled", async () => {
  const work = async (item: number): Promise<number> => {
    if (item > 0) throw new Error(`${item} fails`);
    return item;
  };
  await assert.rejects(Array.fromAsync(mapOrdered([0, 1, 2, 3], 3, work)), /1 fails/);
});
