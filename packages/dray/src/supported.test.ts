import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { oldestNode, tooOld } from "./supported.ts";

test("an older Node is named, and what is needed", () => {
  assert.equal(
    tooOld("dray", "22.12", { node: "20.20.2" }),
    "dray needs Node 22.12 or newer, or Bun; this is Node 20.20.2",
  );
  assert.equal(
    tooOld("the command", "22.21", { node: "22.12.0" }),
    "the command needs Node 22.21 or newer, or Bun; this is Node 22.12.0",
  );
});

test("the least itself, what is newer and other runtimes are not", () => {
  for (const node of ["22.12.0", "22.13.1", "24.0.0", "26.1.0"])
    assert.equal(tooOld("dray", "22.12", { node }), undefined, node);
  assert.equal(tooOld("dray", "22.12", { node: "20.0.0", bun: "1.4.5" }), undefined);
  assert.equal(tooOld("dray", "22.12", { node: "20.0.0", deno: "2.0.0" }), undefined);
  assert.equal(tooOld("dray", "22.12", {}), undefined);
});

test("what is asked for is what the package says", async () => {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  assert.equal(manifest.engines.node, `>=${oldestNode}`);
});
