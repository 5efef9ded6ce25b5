import assert from "node:assert/strict";
import { test } from "node:test";
import { Attempts } from "./attempts.ts";

const scene = (options: ConstructorParameters<typeof Attempts>[0] = {}) => {
  const clock = { now: 0 };
  const attempts = new Attempts({ attempts: 3, window: 1000, now: () => clock.now, ...options });
  const fail = (key = "a"): boolean => {
    attempts.begin(key);
    return attempts.wrong(key);
  };
  return { clock, attempts, fail };
};

test("the third wrong one locks, for a whole window from then", () => {
  const { clock, attempts, fail } = scene();
  assert.deepEqual([fail(), fail()], [false, false]);
  clock.now = 900;
  assert.equal(attempts.locked("a"), 0);
  assert.equal(fail(), true);
  assert.equal(attempts.locked("a"), 1000);
  assert.equal(attempts.locked("b"), 0);
  clock.now = 1899;
  assert.equal(attempts.locked("a"), 1);
  clock.now = 1900;
  assert.equal(attempts.locked("a"), 0);
  assert.equal(fail(), false, "and counting starts again");
});

test("wrong ones that lie further apart do not add up", () => {
  const { clock, attempts, fail } = scene();
  for (let time = 0; time < 10; time++) {
    assert.equal(fail(), false);
    clock.now += 600;
    assert.equal(attempts.locked("a"), 0);
  }
});

test("those on their way count until they are known", () => {
  const { attempts } = scene();
  for (let time = 0; time < 3; time++) attempts.begin("a");
  assert.ok(attempts.locked("a") > 0);
  attempts.undone("a");
  assert.equal(attempts.locked("a"), 0);
  attempts.begin("a");
  assert.ok(attempts.locked("a") > 0);
  attempts.right("a");
  assert.equal(attempts.locked("a"), 0);
});

test("memory is bounded; who was quiet for longest is forgotten", () => {
  const { attempts, fail } = scene({ remembered: 2 });
  for (let time = 0; time < 3; time++) fail("a");
  fail("b");
  assert.ok(attempts.locked("a") > 0);
  fail("c");
  assert.equal(attempts.locked("a"), 0);
});
