import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { buildCommand } from "./build-command.ts";

test("the npm command takes Node's modules as they are: an import of node:http would load all of fetch", async () => {
  const folder = join(temporaryFolder("built"), "command");
  await buildCommand(folder, ["commander", "picomatch", "semver", "yaml", "bcryptjs", "jose", "prom-client"]);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const texts = files.map((name) => readFileSync(join(folder, name), "utf8"));
  assert.ok(texts.some((text) => text.includes('process.getBuiltinModule("node:http")')));
  for (const [i, text] of texts.entries()) assert.ok(!/(?:from|import)\s*"node:/.test(text), files[i]);
  // What tells an old Node that it is too old runs there.
  assert.ok(!readFileSync(join(folder, "main.js"), "utf8").includes("getBuiltinModule"));
});
