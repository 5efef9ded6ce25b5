/** Registries that limit, and tokens that end: the copy slows down, goes on, and ends well. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Fault,
  faults,
  hold,
  listen,
  memoryRegistry,
  put,
  rateLimit,
  sampleImage,
  tokenServer,
} from "@dray/testkit";
import { workshop } from "./dray.ts";

describe("a registry that allows 100 manifest requests in 2 seconds", () => {
  test("a copy of 300 tags ends well, and nothing is asked while a wait is on", async () => {
    const shop = await workshop();
    const registry = memoryRegistry();
    for (let i = 0; i < 300; i++)
      put(registry, "demo/many", `v${i}`, sampleImage({ seed: `tag ${i}`, layers: 1, layerSize: 100 }));
    const limit = rateLimit(registry.handler, { requests: 100, windowSeconds: 2, match: { target: "/manifests/" } });
    const source = await listen(limit.handler);
    const { code, stderr } = await shop.dray(["cp", "-a", `${source.host}/demo/many`, `oci:${shop.path("layout")}`]);
    assert.equal(code, 0, stderr);
    const refused = limit.seen.flatMap(({ time, retryAfterSeconds }) =>
      retryAfterSeconds === undefined ? [] : [{ time, until: time + retryAfterSeconds * 1000 }],
    );
    assert.ok(refused.length > 0, "the limit was reached");
    for (const { time, until } of refused) {
      const early = limit.seen.filter((request) => request.time > time + 100 && request.time < until);
      assert.equal(early.length, 0, `${early.length} requests during a wait`);
    }
    await source.close();
    await shop.close();
  });
});

/** The whole minute takes its time: `DRAY_LONG_TESTS=1` asks for it. */
const [lifetimeSeconds, layers, layerSeconds] = process.env["DRAY_LONG_TESTS"] === undefined ? [2, 6, 1] : [5, 20, 3];

describe(`tokens that live ${lifetimeSeconds} seconds`, () => {
  test(`a copy of ${layers * layerSeconds} seconds asks for new ones and ends well`, { timeout: 180_000 }, async () => {
    const shop = await workshop();
    const tokens = tokenServer({ users: { ann: "secret" }, lifetimeSeconds });
    const service = await listen(tokens.handler);
    const registry = memoryRegistry({ access: { scheme: "bearer", tokens, realm: `${service.origin}/token` } });
    put(registry, "demo/slow", "v1", sampleImage({ seed: "slow", layers, layerSize: 1000 }));
    const slow: Fault = { method: "GET", target: "/blobs/", effect: hold(() => sleep(layerSeconds * 1000)) };
    const server = await listen(faults(registry.handler, [slow]));
    const { code, stderr } = await shop.dray(
      ["cp", "-j", "1", `${server.host}/demo/slow:v1`, `oci:${shop.path("layout")}`],
      { env: { DRAY_REGISTRY_HOSTNAME: server.host, DRAY_REGISTRY_USERNAME: "ann", DRAY_REGISTRY_PASSWORD: "secret" } },
    );
    assert.equal(code, 0, stderr);
    assert.ok(
      tokens.log.entries.length >= (layers * layerSeconds) / lifetimeSeconds - 1,
      `${tokens.log.entries.length} tokens`,
    );
    assert.ok(!stderr.includes("secret"));
    await Promise.all([server.close(), service.close()]);
    await shop.close();
  });
});
