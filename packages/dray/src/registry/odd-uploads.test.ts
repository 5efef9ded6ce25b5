import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, type Fault, memoryRegistry, seededBytes } from "@dray/testkit";
import { against } from "../../test/registry-client.ts";
import { bytesContent } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { digestOf, mediaTypes } from "../oci/index.ts";

const bytes = seededBytes("layer", 100_000);
const blob = { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.byteLength };

for (const status of [400, 405, 501])
  test(`the session of a mount that takes nothing (${status}) is given up for a plain one`, async () => {
    const at = against(memoryRegistry(), [
      { method: "POST", target: "mount=", effect: answerWith(202, { Location: "/v2/a/b/blobs/uploads/?mount=x/y" }) },
      { method: "PUT", target: "mount=", effect: answerWith(status) },
    ]);
    await at.repository.write(blob, bytesContent(bytes));
    assert.equal((await at.repository.describe(blob.digest)).size, blob.size);
    assert.equal(at.log.count({ method: "PUT", target: "mount=" }), 1);
  });

test("an upload that something on the way gives up with a bare 400 is sent once more, and no more", async () => {
  const bare = answerWith(400, { "Content-Type": "text/html" }, "<html><title>400 Bad Request</title></html>");
  const rule: Fault = { method: "PUT", target: "/uploads/", effect: bare };
  const once = against(memoryRegistry(), [{ ...rule, nth: 1 }]);
  await once.repository.write(blob, bytesContent(bytes));
  assert.equal((await once.repository.describe(blob.digest)).size, blob.size);
  const always = against(memoryRegistry(), [rule]);
  await assert.rejects(always.repository.write(blob, bytesContent(bytes)), (error) => {
    assert.ok(isDrayError(error, "REGISTRY"));
    assert.doesNotMatch(error.message, /use https/);
    return true;
  });
  assert.equal(always.log.count({ method: "PUT" }), 2);
});

test("a proxy that says 0 of every answer without a body: a blob is there all the same", async () => {
  const at = against(memoryRegistry(), [
    { method: "HEAD", target: "/blobs/", effect: answerWith(200, { "Content-Length": "0" }) },
  ]);
  at.registry.addBlob("a/b", bytes);
  assert.equal(await at.repository.has(blob), true);
  assert.equal(await at.repository.has({ ...blob, size: blob.size + 1 }), false);
});
