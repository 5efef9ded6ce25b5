import assert from "node:assert/strict";
import { test } from "node:test";
import { Yielding } from "dray/internal/async";
import fc from "fast-check";
import { sorted } from "./names.ts";

test("many names are sorted as few are, and the unwanted left out", async () => {
  const wanted = (name: string): boolean => !name.includes("b");
  await fc.assert(
    fc.asyncProperty(fc.nat(5000), fc.nat(1e6), async (count, seed) => {
      const names = Array.from({ length: count }, (_, i) => ((i * 7919 + seed) % 6007).toString(36));
      assert.deepEqual(await sorted(names, wanted, new Yielding()), names.filter(wanted).sort());
    }),
    { numRuns: 30 },
  );
  assert.deepEqual(await sorted([], wanted, new Yielding()), []);
});
