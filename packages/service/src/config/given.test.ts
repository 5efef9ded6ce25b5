import assert from "node:assert/strict";
import { test } from "node:test";
import { given } from "./given.ts";

interface Options {
  readonly attempts?: number;
  readonly window?: number;
}

test("what is not said is not there, and what the options do not have does not compile", () => {
  assert.deepEqual(given<Options>({ attempts: 3, window: undefined }), { attempts: 3 });
  assert.deepEqual(given<Options>({ attempts: 0 }), { attempts: 0 });
  // @ts-expect-error: no option is called so.
  given<Options>({ most: 3 });
});
