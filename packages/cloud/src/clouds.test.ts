import assert from "node:assert/strict";
import { test } from "node:test";
import { clouds } from "./clouds.ts";

test("what clouds find by themselves is ambient, and those that are left out are told", async () => {
  const env = { GITHUB_TOKEN: "t0ken", GITHUB_ACTOR: "ann" };
  const source = "github (GITHUB_TOKEN)";
  const found = { username: "ann", password: "t0ken", source, secureOnly: true, ambient: true };
  assert.deepEqual(await clouds({ env })({ registry: "ghcr.io" }), found);
  const tried: string[] = [];
  const onTried = (from: string, said: string): void => void tried.push(`${from}: ${said}`);
  assert.equal(await clouds({ env, only: ["ecr"] })({ registry: "ghcr.io" }, { onTried }), undefined);
  assert.deepEqual(tried, ["github: left out"]);
});
