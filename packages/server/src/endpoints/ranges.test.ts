import assert from "node:assert/strict";
import { test } from "node:test";
import { rangesOf } from "./blob.ts";

test("ranges of 2048 bytes", () => {
  for (const [value, wanted] of [
    ["bytes=500-1499", [[500, 1500]]],
    ["bytes=500-", [[500, 2048]]],
    ["bytes=-500", [[1548, 2048]]],
    ["bytes=-5000", [[0, 2048]]],
    ["bytes=2000-5000", [[2000, 2048]]],
    ["bytes=0-0", [[0, 1]]],
    [
      "bytes=0-0,2047-2047",
      [
        [0, 1],
        [2047, 2048],
      ],
    ],
    ["bytes=0-0, 9999-", [[0, 1]]],
    // The suite wants 416 for a range that ends before it begins.
    ["bytes=500-0", "unsatisfiable"],
    ["bytes=5000-10000", "unsatisfiable"],
    ["bytes=2048-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    [undefined, []],
    ["", []],
    ["items=0-1", []],
    ["bytes=", []],
    ["bytes=-", []],
    ["bytes=a-b", []],
    ["bytes=1-2-3", []],
    ["bytes=99999999999999999999-", []],
    ["bytes=0-2047,0-2047", []],
    [`bytes=${Array.from({ length: 17 }, (_, i) => `${i}-${i}`).join()}`, []],
  ] as const) {
    const found = rangesOf(value, 2048);
    assert.deepEqual(
      found === "unsatisfiable" ? found : found.map(({ start, end }) => [start, end]),
      wanted,
      value ?? "none",
    );
  }
});
