import assert from "node:assert/strict";
import { test } from "node:test";
import { observe } from "@dray/service/observe";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { expect } from "../../test/crash/client.ts";
import { routeOf } from "../endpoints/api.ts";
import { createRegistry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";
import { auditLog } from "./audit-log.ts";

const indexOf = (name: string): { body: Uint8Array; digest: Digest; type: string } => {
  const body = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [],
    annotations: { name },
  });
  return { body, digest: digestOf(body), type: mediaTypes.ociIndex };
};

test("the audit log has what a tag stood for: that was deleted, that was pushed over, that went with its manifest", async () => {
  const registry = createRegistry({ driver: memoryDriver() });
  const lines: { action: string; [name: string]: unknown }[] = [];
  const audit = auditLog({ write: (line) => lines.push(JSON.parse(line)) });
  const watched = observe([audit.observer(({ target }) => routeOf(target.split("?")[0] ?? ""))])(registry);
  const [first, second] = [indexOf("first"), indexOf("second")];
  const told = async (line: string, status: number, sent?: typeof first): Promise<Record<string, unknown>> => {
    lines.length = 0;
    await expect(watched, line, [status], sent);
    const [{ digest, tags, replaced } = {} as (typeof lines)[0]] = lines;
    return { digest, tags, replaced };
  };
  const put = "PUT /v2/a/manifests/v1";
  assert.deepEqual(await told(put, 201, first), { digest: first.digest, tags: ["v1"], replaced: undefined });
  assert.deepEqual(await told(put, 201, first), { digest: first.digest, tags: ["v1"], replaced: undefined });
  assert.deepEqual(await told(put, 201, second), {
    digest: second.digest,
    tags: ["v1"],
    replaced: { v1: first.digest },
  });
  assert.deepEqual(await told("DELETE /v2/a/manifests/v1", 202), {
    digest: second.digest,
    tags: ["v1"],
    replaced: undefined,
  });
  await expect(registry, `PUT /v2/a/manifests/${first.digest}?tag=a&tag=b`, [201], first);
  assert.deepEqual(await told(`DELETE /v2/a/manifests/${first.digest}`, 202), {
    digest: first.digest,
    tags: ["a", "b"],
    replaced: undefined,
  });
  assert.deepEqual(await told("DELETE /v2/a/manifests/v1", 404), {
    digest: undefined,
    tags: ["v1"],
    replaced: undefined,
  });
  await registry.close();
});
