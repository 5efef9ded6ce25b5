import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { fakeClock } from "./fake-clock.ts";

test("time passes by advance alone, and sleepers wake in order, each with what it sets off settled", async () => {
  const clock = fakeClock(1_000);
  const woken: string[] = [];
  for (const [name, ms] of [
    ["late", 30],
    ["early", 10],
  ] as const)
    void clock.sleep(ms).then(async () => {
      woken.push(`${name} at ${clock.now()}`);
      await clock.sleep(5);
      woken.push(`${name} again at ${clock.now()}`);
    });
  assert.equal(clock.sleeping, 2);
  await clock.advance(20);
  assert.deepEqual(woken, ["early at 1010", "early again at 1015"]);
  await clock.advance(100);
  assert.deepEqual(woken.slice(2), ["late at 1030", "late again at 1035"]);
  assert.equal(clock.now(), 1_120);
});

test("a sleep ends with its signal, and is then nobody's", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const sleep = clock.sleep(1_000, stop.signal);
  stop.abort();
  await assert.rejects(sleep, (error) => isDrayError(error, "ABORTED"));
  assert.equal(clock.sleeping, 0);
  await assert.rejects(clock.sleep(1, stop.signal), (error) => isDrayError(error, "ABORTED"));
});

test("run lets time pass until work is done", async () => {
  const clock = fakeClock(0);
  const work = async (): Promise<number> => {
    for (let i = 0; i < 100; i++) await clock.sleep(3_600_000);
    return clock.now();
  };
  assert.equal(await clock.run(work()), 360_000_000);
});
