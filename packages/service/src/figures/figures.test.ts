import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatDuration, plural } from "./figures.ts";

test("bytes for people", () => {
  const rows: readonly [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1536, "1.5 kB"],
    [99_949, "99.9 kB"],
    [99_950, "100 kB"],
    [999_949, "1000 kB"],
    [999_950, "1.0 MB"],
    [536_870_912, "537 MB"],
    [3_221_225_472, "3.2 GB"],
    [2e15, "2.0 PB"],
    [2e18, "2000 PB"],
  ];
  for (const [bytes, text] of rows) assert.equal(formatBytes(bytes), text, String(bytes));
});

test("times for people", () => {
  const rows: readonly [number, string][] = [
    [0, "0.0 s"],
    [400, "0.4 s"],
    [9_940, "9.9 s"],
    [9_960, "10 s"],
    [59_400, "59 s"],
    [59_600, "1 min"],
    [200_000, "3 min 20 s"],
    [3_600_000, "1 h"],
    [7_500_000, "2 h 5 min"],
    [7_199_000, "2 h"],
  ];
  for (const [milliseconds, text] of rows) assert.equal(formatDuration(milliseconds), text, String(milliseconds));
});

test("one and many", () => {
  assert.deepEqual(
    [0, 1, 2].map((n) => plural(n, "blob")),
    ["0 blobs", "1 blob", "2 blobs"],
  );
});
