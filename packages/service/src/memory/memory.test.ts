import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "./memory.ts";

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  const none = Symbol();
  await new Promise(setImmediate);
  return (await Promise.race([promise, Promise.resolve(none)])) !== none;
};

test("what all hold is one sum, and each kind has what is its own whatever others hold", () => {
  const memory = new Memory(100);
  const [one, other] = [memory.share(0), memory.share(30)];
  const held = one.hold(100);
  assert.deepEqual([memory.used, one.fits(1), other.fits(30), other.fits(31)], [100, false, true, false]);
  held.free();
  held.free();
  assert.deepEqual([memory.used, one.fits(100), one.fits(101)], [0, true, false]);
});

test("what makes things faster goes to the half, and not where others have the rest", () => {
  const memory = new Memory(100);
  const [one, other] = [memory.share(0), memory.share(0)];
  assert.deepEqual([one.isSpare(50), one.isSpare(51)], [true, false]);
  other.hold(60);
  assert.deepEqual([one.isSpare(40), one.isSpare(41)], [true, false]);
});

test("who waits is let in in his order when there is room, and one who wants more than there is comes alone", async () => {
  const memory = new Memory(100);
  const share = memory.share(0);
  const first = await share.take(80);
  const [large, small] = [share.take(500), share.take(10)];
  assert.deepEqual([await settled(large), await settled(small), memory.waiting], [false, false, 2]);
  first.free();
  assert.deepEqual([await settled(large), await settled(small)], [true, false]);
  (await large).free();
  (await small).free();
  assert.deepEqual([memory.used, memory.waiting], [0, 0]);
});

test("who goes away waits no more, and lets those behind him in", async () => {
  const share = new Memory(100).share(0);
  share.hold(60);
  const gone = new AbortController();
  const [large, small] = [share.take(80, gone.signal), share.take(40)];
  gone.abort();
  await assert.rejects(large, { code: "ABORTED" });
  assert.equal((await small).bytes, 40);
  await assert.rejects(share.take(1, gone.signal), { code: "ABORTED" });
});

test("bytes that several send are counted once, until the last of them has", () => {
  const memory = new Memory(100);
  const share = memory.share(0);
  const bytes = new Uint8Array(40);
  const [one, other] = [share.holdShared(bytes), share.holdShared(bytes.subarray(3))];
  assert.equal(memory.used, 40);
  one.free();
  one.free();
  assert.equal(memory.used, 40);
  other.free();
  assert.equal(memory.used, 0);
});
