import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

const took = async (rate: number, signal?: AbortSignal): Promise<number> => {
  const pace = new Pace(rate, signal);
  const begun = performance.now();
  for (let i = 0; i < 10; i++) await pace.spend(1000);
  return performance.now() - begun;
};

test("bytes take at least their time, and none without a bound", async () => {
  assert.ok((await took(100_000)) >= 90);
  await new Pace(0).spend(Number.MAX_SAFE_INTEGER);
});

test("a rest ends with the signal", async () => {
  await assert.rejects(took(1, AbortSignal.timeout(20)), { code: "TIMEOUT" });
});
