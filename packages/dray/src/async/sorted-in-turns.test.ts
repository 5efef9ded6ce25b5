import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sortedInTurns } from "./sorted-in-turns.ts";
import { Yielding } from "./yielding.ts";

test("many names are sorted as few are, and the unwanted left out", async () => {
  const wanted = (name: string): boolean => !name.includes("b");
  await fc.assert(
    fc.asyncProperty(fc.nat(5000), fc.nat(1e6), async (count, seed) => {
      const names = Array.from({ length: count }, (_, i) => ((i * 7919 + seed) % 6007).toString(36));
      assert.deepEqual(await sortedInTurns(names, new Yielding()), names.toSorted());
      assert.deepEqual(await sortedInTurns(names, new Yielding(), wanted), names.filter(wanted).sort());
    }),
    { numRuns: 30 },
  );
  assert.deepEqual(await sortedInTurns([], new Yielding()), []);
});
