import assert from "node:assert/strict";
import { test } from "node:test";
import { routeOf } from "../../endpoints/route.ts";
import { handlerOf } from "./handlers.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("handlers bear the names that distribution gives them", () => {
  for (const [path, handler] of [
    ["/v2/", "base"],
    ["/v2/_catalog", "catalog"],
    ["/v2/a/b/tags/list", "tags"],
    ["/v2/a/manifests/1.0", "manifest"],
    [`/v2/a/blobs/${digest}`, "blob"],
    ["/v2/a/blobs/uploads/", "blob_upload"],
    ["/v2/a/blobs/uploads/7b0e", "blob_upload_chunk"],
    [`/v2/a/referrers/${digest}`, "referrers"],
    ["/", undefined],
    ["/v2/A/tags/list", undefined],
    ["/elsewhere", undefined],
  ] as const)
    assert.equal(handlerOf(routeOf(path)), handler, path);
});
