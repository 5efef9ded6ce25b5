import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { editJson, type JsonChange } from "./edit-json.ts";

const edited = (text: string, change: JsonChange): string =>
  new TextDecoder().decode(editJson(new TextEncoder().encode(text), "document", change));

const spaced = '{\n  "b": 1,\n  "x-unknown": [null, {"y": 0}],\n  "a": "é"\n}\n';

test("what is left alone stays, in its order", () => {
  assert.equal(
    edited(spaced, (document) => ({ ...document, b: 2, c: 3 })),
    '{"b":2,"x-unknown":[null,{"y":0}],"a":"é","c":3}',
  );
  assert.equal(
    edited('{"b":1,"a":2}', ({ a }) => ({ a })),
    '{"a":2}',
  );
});

test("a number that is left alone keeps all its digits", () => {
  const numbers =
    '"most":9223372036854775807,"least":-9223372036854775808,"list":[12345678901234567890,1],"part":0.12345678901234567890';
  assert.equal(
    edited(`{${numbers},"b":1}`, (document) => ({ ...document, b: 2 })),
    `{${numbers},"b":2}`,
  );
  assert.equal(
    edited(`{ ${numbers} }`, (document) => ({ ...document })),
    `{ ${numbers} }`,
  );
});

test("what says the same keeps its bytes", () => {
  const same: readonly JsonChange[] = [
    (document) => document,
    (document) => ({ ...document }),
    (document) => ({ ...document, b: 1 }),
    (document) => ({ ...document, missing: undefined }),
  ];
  for (const change of same) assert.equal(edited(spaced, change), spaced);
});

test("what is no document is refused, and said to be what it is", () => {
  for (const text of ["[1]", "null", '"a"', "1", "{", ""])
    assert.throws(
      () => edited(text, (document) => document),
      (error) => isDrayError(error, "MANIFEST_INVALID") && /the document is no/.test(error.message),
    );
});
