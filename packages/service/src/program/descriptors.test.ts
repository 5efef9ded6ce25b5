import assert from "node:assert/strict";
import { test } from "node:test";
import { descriptors, tooMany } from "./descriptors.ts";

test("room is made before the last descriptor is gone, and not while there are enough", () => {
  for (const [used, most, gone] of [
    [10, 1000, 0],
    [800, 1000, 0],
    [801, 1000, 101],
    [1000, 1000, 300],
    [110, 128, 21],
  ] as const)
    assert.equal(tooMany({ used, most }), gone, `${used} of ${most}`);
});

test("where the system tells, there are some, and fewer than there may be", async (t) => {
  const found = await descriptors();
  if (found === undefined) return t.skip("this system does not tell");
  assert.ok(found.used > 2 && found.used < found.most);
});
