import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { forEachConcurrent } from "./for-each-concurrent.ts";

test("works on so many at once and no more, on each once", async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await forEachConcurrent([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running);
    await turn();
    running--;
    done.push(item);
  });
  assert.deepEqual([done.toSorted((a, b) => a - b), most], [[1, 2, 3, 4, 5], 2]);
});

test("after an error nothing is begun, what was begun is waited for, and the first error is thrown", async () => {
  const begun: number[] = [];
  let ended = 0;
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 1) throw new Error("first");
    await turn();
    ended++;
    throw new Error("second");
  };
  await assert.rejects(forEachConcurrent([1, 2, 3, 4], 2, work), /first/);
  assert.deepEqual([begun, ended], [[1, 2], 1]);
});
