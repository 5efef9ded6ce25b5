import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { oldestNode, version } from "./version.ts";

test("the constants are the package's", async () => {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  assert.equal(version, manifest.version);
  assert.equal(manifest.engines.node, `>=${oldestNode}`);
});
