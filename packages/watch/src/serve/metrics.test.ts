import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, registryToWatch, served } from "../../test/serving.ts";

test("metrics say what a registry allows, what is left and what of it is for others", async () => {
  const registry = await registryToWatch([
    ["RateLimit-Limit", "100;w=21600"],
    ["RateLimit-Remaining", "76;w=21600"],
  ]);
  await registry.push("app", "1");
  const { serving, close } = await served("registry: { reserve: 30% }");
  await ask(serving.origin, "/v1/scan", { body: JSON.stringify({ repository: `${registry.host}/app` }) });
  const { text } = await ask(serving.origin, "/metrics");
  const labels = `{registry="${registry.host}",identity=""}`;
  for (const line of [
    `dray_watch_limit_requests${labels} 100`,
    `dray_watch_limit_remaining${labels} 76`,
    `dray_watch_limit_reserved${labels} 30`,
    `dray_watch_limited_seconds${labels} 0`,
    `dray_watch_limit_refusals${labels} 0`,
  ])
    assert.ok(text.includes(line), `${line}\n${text}`);
  await close();
  await registry.close();
});
