import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, parseDuration } from "dray/internal/duration";
import { formatSize, parseSize } from "./size.ts";

test("durations as Go writes them", () => {
  const table: [string, number | undefined][] = [
    ["168h", 604_800_000],
    ["1h30m", 5_400_000],
    ["30s", 30_000],
    ["1.5s", 1500],
    [".5s", 500],
    ["250ms", 250],
    ["10us", 0.01],
    ["10µs", 0.01],
    ["1000000ns", 1],
    ["7d", 604_800_000],
    ["1d12h", 129_600_000],
    ["0", 0],
    ["+1s", 1000],
    ["60", undefined],
    ["-1s", undefined],
    ["1 s", undefined],
    ["1S", undefined],
    ["s", undefined],
    ["", undefined],
    ["1h30", undefined],
    ["1w", undefined],
    ["9".repeat(400) + "h", undefined],
  ];
  for (const [text, expected] of table) assert.equal(parseDuration(text), expected, text);
});

test("durations that are shown can be read", () => {
  for (const each of [0, 1, 250, 1000, 90_000, 5_400_000, 604_800_000, 86_400_001])
    assert.equal(parseDuration(formatDuration(each)), each);
  assert.equal(formatDuration(5_400_000), "1h30m");
  assert.equal(formatDuration(Infinity), "never");
});

test("sizes", () => {
  const table: [string, number | undefined][] = [
    ["64MiB", 67_108_864],
    ["1GB", 1_000_000_000],
    ["1.5 GiB", 1_610_612_736],
    ["512Ki", 524_288],
    ["10k", 10_000],
    ["4096", 4096],
    ["4096B", 4096],
    ["0", 0],
    ["-1", undefined],
    ["MiB", undefined],
    ["1 PiB", undefined],
    ["1MiBB", undefined],
    ["", undefined],
    ["9999999999TiB", undefined],
  ];
  for (const [text, expected] of table) assert.equal(parseSize(text), expected, text);
  for (const each of [0, 1, 1000, 1024, 67_108_864, 1_610_612_736]) assert.equal(parseSize(formatSize(each)), each);
});
