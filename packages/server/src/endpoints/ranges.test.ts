import assert from "node:assert/strict";
import { test } from "node:test";
import { rangesOf } from "./ranges.ts";

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
    // An end that no file has is its end, and a beginning there is behind it.
    ["bytes=0-9223372036854775807", [[0, 2048]]],
    ["bytes=99999999999999999999-", "unsatisfiable"],
    ["bytes=0-0,", [[0, 1]]],
    ["bytes=, ,0-0", [[0, 1]]],
    ["bytes=,", []],
    ["bytes=0-2047,0-2047", []],
    // Two that overlap may be a mistake; a third is none.
    [
      "bytes=0-9,5-14",
      [
        [0, 10],
        [5, 15],
      ],
    ],
    ["bytes=0-9,5-14,12-20", []],
    ["bytes=0-99,10-19,30-39", []],
  ] as const) {
    const found = rangesOf(value, 2048);
    assert.deepEqual(
      found === "unsatisfiable" ? found : found.map(({ start, end }) => [start, end]),
      wanted,
      value ?? "none",
    );
  }
});

/** `count` ranges of one byte, with a byte between them. */
const many = (count: number): string => `bytes=${Array.from({ length: count }, (_, i) => `${2 * i}-${2 * i}`).join()}`;

test("many small ranges are parts, as many as a partial pull may ask for; more are the whole", () => {
  for (const count of [17, 1000, 1024]) assert.equal(rangesOf(many(count), 10_000)?.length, count);
  assert.deepEqual(rangesOf(many(1025), 10_000), []);
});

test("of an empty blob there are no parts", () => {
  for (const value of ["bytes=0-", "bytes=0-0", "bytes=-5", "bytes=5-"])
    assert.deepEqual(rangesOf(value, 0), [], value);
});
