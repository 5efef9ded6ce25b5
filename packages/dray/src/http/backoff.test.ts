import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "./backoff.ts";

test("delays double up to the longest, and chance shortens them", () => {
  const delay = backoff();
  assert.deepEqual(
    [1, 2, 3, 7, 60].map((attempt) => delay(attempt, 0)),
    [500, 1_000, 2_000, 30_000, 30_000],
  );
  assert.deepEqual(
    [1, 2, 3].map((attempt) => delay(attempt, 0.5)),
    [375, 750, 1_500],
  );
  assert.equal(backoff({ first: 10, factor: 3, longest: 50, jitter: 0 })(3, 0.9), 50);
});
