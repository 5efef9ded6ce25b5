import assert from "node:assert/strict";
import { test } from "node:test";
import { expect } from "../crash/client.ts";
import { memoryDriver } from "../storage/index.ts";
import { createRegistry } from "./create.ts";

test("nothing is kept of names that anybody asks for and nobody has", async () => {
  const registry = createRegistry({ driver: memoryDriver() });
  for (let i = 0; i < 50; i++) {
    await expect(registry, `GET /v2/none/${i}/tags/list`, [404]);
    await expect(registry, `GET /v2/none/${i}/referrers/sha256:${"0".repeat(64)}`, [200]);
    await expect(registry, `GET /v2/none/${i}/manifests/latest`, [404]);
    await expect(registry, `DELETE /v2/none/${i}/manifests/latest`, [404]);
    await expect(registry, `DELETE /v2/none/${i}/manifests/sha256:${"0".repeat(64)}`, [404]);
  }
  const { lists, manifests } = registry.parts;
  assert.equal(lists.repositories, 0);
  assert.equal(lists.bytes + manifests.bytes, 0);
  await registry.close();
});
