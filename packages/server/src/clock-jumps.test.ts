import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClockJumps } from "./clock-jumps.ts";

const hour = 3_600_000;

const setUp = () => {
  const clock = { wall: 1e12, steady: 5 };
  const notices: string[] = [];
  const jumps = new ClockJumps({
    now: () => clock.wall,
    elapsed: () => clock.steady,
    onNotice: ({ level, message }) => notices.push(`${level} ${message}`),
  });
  const pass = (milliseconds: number, wall = milliseconds): void => {
    clock.wall += wall;
    clock.steady += milliseconds;
  };
  return { clock, notices, jumps, pass };
};

describe("jumps of the clock", () => {
  for (const [direction, by] of [
    ["forward", 48 * hour],
    ["back", -2 * hour],
  ] as const)
    it(`${direction}: ages are not believed for a while, which is told once`, () => {
      const { jumps, notices, pass } = setUp();
      pass(24 * hour);
      assert.equal(jumps.wait(hour), 0);
      pass(1000, 1000 + by);
      assert.equal(jumps.wait(hour), hour);
      pass(hour / 2);
      assert.equal(jumps.wait(hour), hour / 2);
      assert.equal(jumps.wait(0), 0, "for who waits for nothing");
      pass(hour / 2);
      assert.deepEqual([jumps.wait(hour), jumps.by], [0, by]);
      assert.equal(notices.length, 1);
      assert.match(
        notices[0] ?? "",
        new RegExp(`^warn the system's clock went ${direction} by ${Math.abs(by) / 1000} s`),
      );
    });

  it("that are small or slow are none", () => {
    const { jumps, notices, pass } = setUp();
    pass(hour, hour + 59_000);
    assert.equal(jumps.wait(hour), 0);
    pass(1000 * hour, 1000 * hour + hour / 2);
    assert.equal(jumps.wait(hour), 0);
    assert.deepEqual(notices, []);
  });
});
