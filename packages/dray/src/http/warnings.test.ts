import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesBody, type ProgressEvent } from "../content/index.ts";
import type { Handler, HeaderPairs } from "./types.ts";
import { parseWarnings, warnings } from "./warnings.ts";

test("only 299 from nobody in particular is for users", () => {
  const table: readonly [string, readonly string[]][] = [
    ['299 - "deprecated"', ["deprecated"]],
    ['299 - "a, b", 299 - "c"', ["a, b", "c"]],
    ['299 - "say \\"hi\\" \\\\ bye"', ['say "hi" \\ bye']],
    ['110 cache "stale", 299 - "kept"', ["kept"]],
    ['299 registry.example "not for us"', []],
    ['299 - "dated" "Sat, 21 Nov 2026 12:00:00 GMT"', ["dated"]],
    ["299 - unquoted", []],
    ['299 - "open', []],
    ["", []],
  ];
  for (const [value, texts] of table) assert.deepEqual(parseWarnings(value), texts, value);
});

test("each text is said once, to whoever asked first", async () => {
  const headers: HeaderPairs = [
    ["Warning", '299 - "one"'],
    ["warning", '299 - "two"'],
  ];
  const handler: Handler = async () => ({
    status: 200,
    headers,
    url: "https://r.example/v2/",
    body: bytesBody(new Uint8Array()),
  });
  const [own, common]: [ProgressEvent[], ProgressEvent[]] = [[], []];
  const send = warnings({ onEvent: (event) => common.push(event) })(handler);
  const request = { method: "GET", origin: "https://r.example", target: "/v2/", headers: [] };
  await send({ ...request, context: { onEvent: (event) => own.push(event) } });
  await send(request);
  assert.deepEqual(own, [
    { type: "warning", message: "r.example: one" },
    { type: "warning", message: "r.example: two" },
  ]);
  assert.deepEqual(common, []);
});
