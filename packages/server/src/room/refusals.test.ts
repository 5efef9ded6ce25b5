import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Notice } from "../notice.ts";
import { Refusals } from "./refusals.ts";

describe("pushes that are refused", () => {
  const listening = () => {
    const told: Notice[] = [];
    const clock = { now: 0 };
    return {
      told,
      clock,
      refusals: new Refusals(
        () => clock.now,
        (notice) => told.push(notice),
      ),
    };
  };

  it("are told of once a minute for each repository, and for the disk", () => {
    const { told, clock, refusals } = listening();
    const refuse = (): void => {
      for (let times = 0; times < 3; times++) {
        refusals.tell("the disk is full");
        for (const repository of ["a", "b"]) refusals.tell(`${repository} is full`, repository);
      }
    };
    refuse();
    const expected = [
      { level: "warn", message: "a push is refused: the disk is full" },
      { level: "warn", message: "a push is refused: a is full", repository: "a" },
      { level: "warn", message: "a push is refused: b is full", repository: "b" },
    ];
    assert.deepEqual(told, expected);
    clock.now = 59_999;
    refuse();
    assert.equal(told.length, 3);
    clock.now = 60_000;
    refuse();
    assert.deepEqual(told, [...expected, ...expected]);
  });

  it("are told of for a hundred repositories a minute, however many clients think of, and the disk beside them", () => {
    const { told, clock, refusals } = listening();
    const refuse = (from: number): void => {
      for (let i = from; i < from + 1000; i++) refusals.tell("full", `r${i}`);
    };
    refuse(0);
    assert.equal(told.length, 101);
    assert.match(told.at(-1)?.message ?? "", /^pushes to more than 100 repositories were refused within a minute/);
    refuse(1000);
    refusals.tell("the disk is full");
    assert.deepEqual(told.at(-1), { level: "warn", message: "a push is refused: the disk is full" });
    assert.equal(told.length, 102);
    clock.now = 60_000;
    refuse(5000);
    assert.deepEqual(told[102]?.repository, "r5000");
    assert.equal(told.length, 203);
  });
});
