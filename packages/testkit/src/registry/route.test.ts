import assert from "node:assert/strict";
import { test } from "node:test";
import { routeOf } from "./route.ts";

test("paths are read from the right", () => {
  for (const [path, expected] of [
    ["/v2", { kind: "ping" }],
    ["/v2/", { kind: "ping" }],
    ["/v2/_catalog", { kind: "catalog" }],
    ["/v2/a/tags/list", { kind: "tags", repository: "a" }],
    ["/v2/a/manifests/v1", { kind: "manifest", repository: "a", name: "v1" }],
    ["/v2/a/b/c/manifests/sha256%3Aab", { kind: "manifest", repository: "a/b/c", name: "sha256:ab" }],
    ["/v2/a/blobs/sha256:ab", { kind: "blob", repository: "a", digest: "sha256:ab" }],
    ["/v2/a/blobs/uploads/", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads/1", { kind: "upload", repository: "a", session: "1" }],
    ["/v2/a/referrers/sha256:ab", { kind: "referrers", repository: "a", digest: "sha256:ab" }],
    // The words of the API are names as good as any.
    ["/v2/blobs/manifests/v1", { kind: "manifest", repository: "blobs", name: "v1" }],
    ["/v2/manifests/manifests/manifests", { kind: "manifest", repository: "manifests", name: "manifests" }],
    ["/v2/a/tags/list/tags/list", { kind: "tags", repository: "a/tags/list" }],
    ["/v2/a/blobs/uploads/manifests/v1", { kind: "manifest", repository: "a/blobs/uploads", name: "v1" }],
    ["/v2/tags/blobs/uploads/", { kind: "uploads", repository: "tags" }],
    ["/v2/a/manifests/blobs/sha256:ab", { kind: "blob", repository: "a/manifests", digest: "sha256:ab" }],
    ["/v2/A/manifests/v1", { kind: "invalid", repository: "A" }],
    ["/v2/a%2Fb/manifests/v1", { kind: "manifest", repository: "a/b", name: "v1" }],
    ["/v2/a%ZZ/manifests/v1", { kind: "invalid", repository: "a%ZZ" }],
    ["/v2//manifests/v1", { kind: "invalid", repository: "" }],
    ["/v2/a", { kind: "unknown" }],
    ["/v1/a/tags/list", { kind: "unknown" }],
    ["/", { kind: "unknown" }],
  ] as const)
    assert.deepEqual(routeOf(path), expected, path);
});
