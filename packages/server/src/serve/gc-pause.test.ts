import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { memoryDriver } from "../storage/index.ts";
import { GcPause } from "./gc-pause.ts";

const never = new AbortController().signal;
const locked = (error: unknown): boolean =>
  isDrayError(error, "LOCKED") && /paused until .*--resume/.test(error.message);

test("a pause lasts over a restart and ends by itself", async () => {
  const driver = memoryDriver();
  let now = Date.parse("2026-01-01T00:00:00Z");
  const clock = (): number => now;
  assert.equal(await new GcPause(driver, clock).last(1000), now + 1000);
  const pause = new GcPause(driver, clock);
  assert.equal(await pause.until(), now + 1000);
  let runs = 0;
  const collect = async (): Promise<number> => ++runs;
  await assert.rejects(pause.collecting(never, collect), locked);
  assert.equal(runs, 0);
  now += 1000;
  assert.equal(await pause.until(), undefined);
  assert.equal(await pause.collecting(never, collect), 1);
});

test("it can be ended before, and what is no time is no pause", async () => {
  const driver = memoryDriver();
  const pause = new GcPause(driver);
  await pause.last(60_000);
  assert.equal(await pause.last(0), undefined);
  assert.equal(await pause.collecting(never, async () => "done"), "done");
  await driver.write("dray/gc-paused-until", new TextEncoder().encode("soon\n"));
  assert.equal(await pause.collecting(never, async () => "done"), "done");
});

test("a run that is going on ends before the pause is told to be there", async () => {
  const pause = new GcPause(memoryDriver());
  const order: string[] = [];
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const running = pause.collecting(never, async (signal) => {
    begin();
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await new Promise((resolve) => void setImmediate(resolve));
    order.push("ended");
    throw signal.reason;
  });
  const refused = assert.rejects(running, locked);
  await begun;
  await pause.last(60_000);
  order.push("paused");
  await refused;
  assert.deepEqual(order, ["ended", "paused"]);
});

test("a run that was just about to begin is none once the pause is told to be there", async () => {
  const driver = memoryDriver();
  const { promise: late, resolve: go } = Promise.withResolvers<void>();
  const read = driver.read.bind(driver);
  const slow = Object.assign(driver, {
    read: async (path: string) => {
      const bytes = await read(path);
      await late;
      return bytes;
    },
  });
  const pause = new GcPause(slow);
  let runs = 0;
  const refused = assert.rejects(
    pause.collecting(never, async () => ++runs),
    locked,
  );
  const told = pause.last(60_000);
  await new Promise((resolve) => void setImmediate(resolve));
  go();
  await Promise.all([told, refused]);
  assert.equal(runs, 0);
});
