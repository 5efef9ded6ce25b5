import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import type * as original from "./errors.ts";
import { aborted, DrayError, exitCodes, isDrayError, reasonOf, restated } from "./errors.ts";
import { errnoOf } from "./files/index.ts";

describe("an error of another copy of the library", () => {
  test("is known by its brand, with its code", async () => {
    const copy = (await import(`./errors.ts${"?copy"}`)) as Pick<typeof original, "DrayError" | "isDrayError">;
    assert.notEqual(copy.DrayError, DrayError);
    const theirs: unknown = new copy.DrayError("NOT_FOUND", "not there");
    assert.ok(!(theirs instanceof DrayError));
    assert.ok(isDrayError(theirs));
    assert.ok(isDrayError(theirs, "NETWORK", "NOT_FOUND"));
    assert.ok(!isDrayError(theirs, "NETWORK"));
    assert.ok(copy.isDrayError(new DrayError("LOCKED", "held")));
  });

  test("is none where it only looks like one", () => {
    for (const value of [undefined, null, "DrayError", new Error("x"), { name: "DrayError", code: "NOT_FOUND" }])
      assert.ok(!isDrayError(value));
  });
});

test("an error of another realm says its reason and the system's name for it", () => {
  const foreign: unknown = runInNewContext(`Object.assign(new Error("gone"), { code: "ENOENT" })`);
  assert.ok(!(foreign instanceof Error));
  assert.equal(reasonOf(foreign), "gone");
  assert.equal(errnoOf(foreign), "ENOENT");
  assert.equal(reasonOf("plain"), "plain");
  assert.equal(reasonOf(undefined), "undefined");
});

describe("the error of a signal", () => {
  test("of a time limit is a time-out, with exit code 1", async () => {
    const signal = AbortSignal.timeout(1);
    // The signal's own timer keeps no process alive.
    const alive = setTimeout(() => {}, 60_000);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    clearTimeout(alive);
    const error = aborted(signal);
    assert.equal(error.code, "TIMEOUT");
    assert.equal(error.cause, signal.reason);
    assert.equal(exitCodes[error.code], 1);
    assert.equal(aborted(AbortSignal.any([signal])).code, "TIMEOUT");
  });

  test("that somebody aborted is an interruption", () => {
    assert.equal(aborted(AbortSignal.abort()).code, "ABORTED");
    const own = new DrayError("LOCKED", "held");
    assert.equal(aborted(AbortSignal.abort(own)), own);
  });
});

test("an error in other words keeps the headers of the answer", () => {
  const headers = [["X-JFrog-Version", "7"]] as const;
  assert.equal(restated(new DrayError("REGISTRY", "x", { headers }), "UNSUPPORTED", "y").headers, headers);
});
