import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { Yielding } from "./yielding.ts";

const busy = (milliseconds: number): void => {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
};

test("others get their turn when a slice is used up, and not before", async () => {
  const yielding = new Yielding({ slice: 5 });
  let others = 0;
  setImmediate(() => others++);
  busy(6);
  await yielding.turn();
  assert.equal(others, 1);
  setImmediate(() => others++);
  await new Yielding({ slice: 60_000 }).turn();
  assert.equal(others, 1);
});

test("a signal ends it, in a rest as well", async () => {
  const cancel = new AbortController();
  const yielding = new Yielding({ slice: 1, share: 1 / 1000, signal: cancel.signal });
  busy(2);
  const resting = assert.rejects(yielding.turn(), (error) => isDrayError(error, "ABORTED"));
  cancel.abort();
  await resting;
  await assert.rejects(yielding.turn(), (error) => isDrayError(error, "ABORTED"));
});
