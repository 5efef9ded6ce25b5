import assert from "node:assert/strict";
import { test } from "node:test";
import { exchange } from "@dray/testkit";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { createRegistry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";

const index = (name: string): Uint8Array =>
  encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations: { name } });

test("a condition of a PUT is asked of the tree, where another program may have written a moment ago", async () => {
  const driver = memoryDriver();
  // Time stands still: what is remembered never grows old.
  const [ours, other] = [createRegistry({ driver, now: () => 1 }), createRegistry({ driver, now: () => 1 })];
  const target = "/v2/app/manifests/latest";
  const put = async (registry: typeof ours, name: string, condition: Record<string, string> = {}): Promise<number> => {
    const headers = { "Content-Type": mediaTypes.ociIndex, ...condition };
    return (await exchange(registry, "PUT", target, { headers, body: index(name) })).status;
  };
  assert.equal(await put(ours, "first"), 201);
  assert.equal((await exchange(ours, "GET", target)).status, 200);
  assert.equal(await put(other, "second"), 201);
  assert.equal(await put(ours, "third", { "If-Match": `"${digestOf(index("first"))}"` }), 412);
  assert.equal(await put(ours, "third", { "If-Match": `"${digestOf(index("second"))}"` }), 201);
  for (const registry of [ours, other]) await registry.close();
});
