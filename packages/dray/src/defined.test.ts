import assert from "node:assert/strict";
import { test } from "node:test";
import { defined } from "./defined.ts";

interface Options {
  readonly needed: number;
  readonly jobs?: number;
  readonly name?: string | null;
}

const nothing = undefined as number | undefined;

test("what nobody gave is left out, and all else keeps its value and its order", () => {
  const options: Options = defined({ name: null, jobs: nothing, needed: 0 });
  assert.deepEqual(Object.entries(options), [
    ["name", null],
    ["needed", 0],
  ]);
});

/** Compiled, never called. */
export const misspelt = (take: (options: Options) => void): void => {
  // @ts-expect-error jobs
  take(defined({ needed: 1, jbos: nothing }));
  // @ts-expect-error needed may not be left out
  take(defined({ jobs: nothing }));
  // @ts-expect-error nor be undefined
  take(defined({ needed: nothing }));
  // @ts-expect-error another type
  take(defined({ needed: 1, jobs: "1" }));
  // @ts-expect-error nobody says which options they are
  take({ needed: 1, ...defined({ jobs: nothing }) });
};
