import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfter } from "./retry-after.ts";

test("Retry-After is seconds or a date, and never below a second", () => {
  const now = Date.UTC(2026, 10, 21, 12, 0, 0);
  const table: readonly [string, number | undefined][] = [
    ["5", 5_000],
    [" 5 ", 5_000],
    ["0", 1_000],
    ["0.0007", 1_000],
    ["1.5", 1_500],
    ["Sat, 21 Nov 2026 12:00:30 GMT", 30_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 1_000],
    ["21600", 21_600_000],
    [String(now / 1000 + 30), 30_000],
    [String(now / 1000 - 30), 1_000],
    ["", undefined],
    ["-5", undefined],
    ["soon", undefined],
    ["1e9", undefined],
  ];
  for (const [value, wait] of table) assert.equal(retryAfter([["retry-after", value]], now), wait, value);
  assert.equal(retryAfter([], now), undefined);
});
