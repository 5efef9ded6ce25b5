import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { unlessAborted } from "./unless-aborted.ts";

const never = (): Promise<never> => new Promise(() => {});

test("work that ends first decides; nothing is left on the signal", async () => {
  const { signal } = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
  assert.equal(await unlessAborted(Promise.resolve(2), undefined), 2);
  await assert.rejects(unlessAborted(Promise.reject(new Error("broken")), signal), /broken/);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a signal ends the wait, before it and during it", async () => {
  const cancel = new AbortController();
  const waiting = assert.rejects(unlessAborted(never(), cancel.signal), (error) => isDrayError(error, "ABORTED"));
  cancel.abort();
  await waiting;
  await assert.rejects(unlessAborted(never(), cancel.signal), (error) => isDrayError(error, "ABORTED"));
  await assert.rejects(unlessAborted(Promise.reject(new Error("late")), cancel.signal), (error) =>
    isDrayError(error, "ABORTED"),
  );
  assert.equal(getEventListeners(cancel.signal, "abort").length, 0);
});
