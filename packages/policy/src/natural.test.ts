import assert from "node:assert/strict";
import { test } from "node:test";
import { constantFrom, assert as holds, oneof, property, string } from "fast-check";
import { newestNaturally } from "./natural.ts";

/** Mixed up the same way each time. */
const shuffled = <T>(items: readonly T[]): T[] => items.map((_, i) => items[(i * 7919 + 13) % items.length] as T);

test("highest first, digits as numbers", () => {
  const rows: readonly string[][] = [
    ["b10", "b9", "b1", "a", ""],
    ["release-20", "release-3", "release"],
    ["1.10", "1.9", "1.1"],
    ["r123456789012345678901", "r123456789012345678900", "r9"],
    ["b", "a", "B", "A"],
    ["x01", "x1"].sort(newestNaturally),
    ["v3", "v2", "3", "2"],
    ["rc10", "rc9"],
  ];
  for (const row of rows) assert.deepEqual(shuffled(row).sort(newestNaturally), row);
});

test("it is an order", () => {
  const text = oneof(string({ maxLength: 5 }), constantFrom("1", "01", "a1", "a01", "a-1", "10a", "a10b2", "a9b30"));
  const compare = (a: string, b: string): number => Math.sign(newestNaturally(a, b));
  holds(
    property(text, text, text, (a, b, c) => {
      assert.equal(compare(a, b), 0 - compare(b, a));
      assert.equal(compare(a, b) === 0, a === b);
      if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0);
    }),
    { numRuns: 3000 },
  );
});
