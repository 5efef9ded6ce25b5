import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { exchange } from "./exchange.ts";
import { hosts } from "./hosts.ts";
import { memoryRegistry } from "./registry/index.ts";

test("each origin has its handler, and nobody listens elsewhere", async () => {
  const [one, two] = [memoryRegistry(), memoryRegistry()];
  const network = hosts({ "https://one.test": one.handler, "http://two.test:5000": two.handler });
  assert.equal((await exchange(network, "GET", "/v2/", { origin: "http://two.test:5000" })).status, 200);
  assert.deepEqual([one.log.count(), two.log.count()], [0, 1]);
  await assert.rejects(exchange(network, "GET", "/v2/", { origin: "http://one.test" }), (error) => {
    assert.ok(isDrayError(error, "NETWORK"));
    assert.equal((error.cause as { code: string }).code, "ECONNREFUSED");
    return true;
  });
});
