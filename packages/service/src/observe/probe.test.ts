import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "dray/http";
import { atMostOnceIn, faultOf } from "./health.ts";

test("it is asked once in a while, whoever wants to know", async () => {
  let [now, asked] = [0, 0];
  const clock: Clock = { now: () => now, random: () => 0, sleep: async () => {} };
  const ask = atMostOnceIn(async () => ++asked, { fresh: 100, clock });
  assert.deepEqual(await Promise.all([ask(), ask()]), [1, 1]);
  now = 99;
  assert.equal(await ask(), 1);
  now = 100;
  assert.equal(await ask(), 2);
});

test("what fails says why, and what hangs does not work", async () => {
  const hangs: Clock = { now: () => 0, random: () => 0, sleep: async () => {} };
  const patient: Clock = {
    ...hangs,
    sleep: (_, signal) => new Promise((_, no) => signal?.addEventListener("abort", no)),
  };
  assert.equal(await faultOf(async () => 1, { clock: patient }), undefined);
  assert.equal(await faultOf(() => Promise.reject(new Error("gone")), { clock: patient }), "gone");
  assert.equal(await faultOf(() => new Promise(() => {}), { clock: hangs }), "no answer within 5 s");
});
