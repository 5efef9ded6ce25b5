import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointOf, routeOf } from "./api.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("each path of the API leads to its endpoint", () => {
  for (const [path, route] of [
    ["/", { kind: "root" }],
    ["/v2", { kind: "ping" }],
    ["/v2/", { kind: "ping" }],
    ["/v2/_catalog", { kind: "catalog" }],
    ["/v2/_oci/ext/discover", { kind: "extensions" }],
    ["/v2/a/_oci/ext/discover", { kind: "extensions", repository: "a" }],
    ["/v2/a/tags/list", { kind: "tags", repository: "a" }],
    ["/v2/a/b/manifests/v1", { kind: "manifest", repository: "a/b", name: "v1" }],
    [`/v2/a/manifests/${digest}`, { kind: "manifest", repository: "a", name: digest }],
    [`/v2/a/manifests/${digest.replace(":", "%3A")}`, { kind: "manifest", repository: "a", name: digest }],
    [`/v2/a/blobs/${digest}`, { kind: "blob", repository: "a", name: digest }],
    ["/v2/a/blobs/uploads/", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads/1-2", { kind: "upload", repository: "a", name: "1-2" }],
    [`/v2/a/referrers/${digest}`, { kind: "referrers", repository: "a", name: digest }],
  ] as const)
    assert.deepEqual(routeOf(path), route, path);
});

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
    assert.equal(endpointOf(routeOf(path))?.metric, handler, path);
});

test("names may hold the words of the API", () => {
  for (const [path, route] of [
    ["/v2/blobs/tags/list", { kind: "tags", repository: "blobs" }],
    ["/v2/manifests/manifests/manifests", { kind: "manifest", repository: "manifests", name: "manifests" }],
    ["/v2/tags/list/tags/list", { kind: "tags", repository: "tags/list" }],
    ["/v2/a/manifests/b/manifests/c", { kind: "manifest", repository: "a/manifests/b", name: "c" }],
    ["/v2/a/blobs/uploads/blobs/uploads/", { kind: "uploads", repository: "a/blobs/uploads" }],
    ["/v2/uploads/blobs/uploads/id", { kind: "upload", repository: "uploads", name: "id" }],
    [`/v2/referrers/blobs/${digest}`, { kind: "blob", repository: "referrers", name: digest }],
    ["/v2/a/blobs/manifests/x", { kind: "manifest", repository: "a/blobs", name: "x" }],
  ] as const)
    assert.deepEqual(routeOf(path), route, path);
});

test("what is no name is told apart from what is no endpoint", () => {
  for (const [path, kind] of [
    ["/v2/A/tags/list", "invalid"],
    ["/v2/../tags/list", "invalid"],
    ["/v2/a/../b/manifests/x", "invalid"],
    ["/v2/a//b/manifests/x", "invalid"],
    ["/v2/a%2Fb/manifests/x", "invalid"],
    ["/v2/%2e%2e/manifests/x", "invalid"],
    ["/v2/a\\b/manifests/x", "invalid"],
    ["/v2/a\0b/manifests/x", "invalid"],
    ["/v2/_uploads/manifests/x", "invalid"],
    ["/v2/ä/manifests/x", "invalid"],
    [`/v2/${"a".repeat(256)}/manifests/x`, "invalid"],
    [`/v2/${"a".repeat(255)}/manifests/x`, "manifest"],
    ["/v2//manifests/x", "invalid"],
    ["/v2/manifests/x", "invalid"],
    ["/v2/a/b", "unknown"],
    ["/v2/a/tags/list/", "unknown"],
    ["/v2/a/uploads/x", "unknown"],
    ["/v1/a/tags/list", "unknown"],
    ["", "unknown"],
    ["v2/", "unknown"],
    ["/v2/a/ext/discover", "unknown"],
  ] as const)
    assert.equal(routeOf(path).kind, kind, path);
});
