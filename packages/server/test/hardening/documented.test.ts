import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { endpointOf, routeOf } from "../../src/endpoints/api.ts";
import { endpoints as rows } from "../../src/endpoints/table.ts";
import { readDocumented } from "./documented.ts";
import { imageDigest } from "./sample.ts";

const text = await readFile(new URL("../../../../docs/server-http.md", import.meta.url), "utf8");
const { endpoints } = readDocumented(text);

test("the page of the HTTP API has every endpoint with the methods that it takes, and no other", () => {
  const told = new Map<string, string[]>();
  for (const { path, methods: some } of endpoints) {
    const sample = path
      .replace("<name>", "team/app")
      .replace("<digest>", imageDigest)
      .replace("<tag>", "v1")
      .replace("<session>", "x");
    const { kind } = routeOf(sample);
    const known = told.get(path);
    if (known === undefined) told.set(path, [kind, ...some]);
    else known.push(...some);
  }
  const kinds = new Set<string>();
  for (const [path, [kind = "", ...some]] of told) {
    kinds.add(kind);
    const row = endpointOf({ kind });
    assert.deepEqual([...some].sort(), Object.keys(row?.methods ?? {}).sort(), path);
    assert.ok(row?.paths.includes(path), path);
  }
  assert.deepEqual([...kinds].sort(), rows.map(({ kind }) => kind).sort());
});

test("the page tells of every code that a refusal can have", async () => {
  const source = await readFile(new URL("../../src/registry-error.ts", import.meta.url), "utf8");
  const union = /export type RefusalCode =([^;]*);/.exec(source)?.[1] ?? "";
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code ?? "");
  assert.ok(codes.length > 10);
  for (const code of codes) assert.match(text, new RegExp(`\\d{3} (?:\\| )?${code}\\b`), code);
});
