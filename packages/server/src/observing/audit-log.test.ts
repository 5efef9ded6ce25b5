import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf } from "@dray/service/observe";
import type { HeaderPairs, HttpRequest } from "dray/http";
import type { Digest } from "dray/oci";
import { routeOf } from "../endpoints/api.ts";
import { auditLog, type Deed } from "./audit-log.ts";

const digest = `sha256:${"a".repeat(64)}` as Digest;
const basic = (text: string): HeaderPairs => [["Authorization", `Basic ${Buffer.from(text).toString("base64")}`]];

const told = (
  method: string,
  target: string,
  status: number,
  {
    request = {},
    headers = [],
    principal,
  }: { request?: Partial<HttpRequest>; headers?: HeaderPairs; principal?: string } = {},
): Deed[] => {
  const lines: string[] = [];
  const log = auditLog({ write: (line) => lines.push(line) }, { now: () => 0 });
  const asked: HttpRequest = { method, origin: "", target, peer: "10.0.0.7:1", headers: [], ...request };
  factsOf(asked).id = "7";
  const end = log.observer(({ target }) => routeOf(target.split("?")[0] ?? ""))(asked);
  if (principal !== undefined) factsOf(asked).principal = principal;
  end({ request: asked, status, headers, received: 0, sent: 0, duration: 0, whole: true });
  return lines.map((line) => JSON.parse(line));
};

const always = { time: "1970-01-01T00:00:00.000Z", peer: "10.0.0.7:1", id: "7" };

test("what changes something is told", () => {
  const by = { principal: "ann", headers: [["Docker-Content-Digest", digest]] as HeaderPairs };
  const done = { ...always, outcome: "done", principal: "ann", digest };
  for (const [method, target, status, deed] of [
    ["PUT", "/v2/a/b/manifests/1.0", 201, { action: "push", kind: "tag", repository: "a/b", tags: ["1.0"] }],
    ["PUT", `/v2/a/manifests/${digest}`, 201, { action: "push", kind: "manifest", repository: "a" }],
    ["PUT", `/v2/a/blobs/uploads/x?digest=${digest}`, 201, { action: "push", kind: "blob", repository: "a" }],
    ["POST", `/v2/a/blobs/uploads/?digest=${digest}`, 201, { action: "push", kind: "blob", repository: "a" }],
    ["POST", `/v2/a/blobs/uploads/?mount=${digest}&from=b`, 201, { action: "mount", kind: "blob", repository: "a" }],
    ["DELETE", "/v2/a/manifests/1.0", 202, { action: "delete", kind: "tag", repository: "a", tags: ["1.0"] }],
    ["DELETE", `/v2/a/manifests/${digest}`, 202, { action: "delete", kind: "manifest", repository: "a" }],
    ["DELETE", `/v2/a/blobs/${digest}`, 202, { action: "delete", kind: "blob", repository: "a" }],
  ] as const)
    assert.deepEqual(told(method, target, status, by), [{ ...done, ...deed, status }], `${method} ${target}`);
});

test("tags given on the way are told", () => {
  const headers: HeaderPairs = [
    ["OCI-Tag", "1"],
    ["OCI-Tag", "1.0"],
  ];
  assert.deepEqual(told("PUT", `/v2/a/manifests/${digest}?tag=1&tag=1.0`, 201, { headers })[0]?.tags, ["1", "1.0"]);
});

test("reading, sessions that begin or end, and the first question of a client are not told", () => {
  for (const [method, target, status] of [
    ["GET", "/v2/a/manifests/1", 200],
    ["HEAD", `/v2/a/blobs/${digest}`, 404],
    ["POST", "/v2/a/blobs/uploads/", 202],
    ["POST", `/v2/a/blobs/uploads/?mount=${digest}&from=b`, 202],
    ["PATCH", "/v2/a/blobs/uploads/x", 202],
    ["DELETE", "/v2/a/blobs/uploads/x", 204],
    ["PUT", "/v2/a/manifests/1", 401],
    ["GET", "/v2/", 401],
    ["OPTIONS", "/v2/a/manifests/1", 204],
  ] as const)
    assert.deepEqual(told(method, target, status), [], `${method} ${target} ${status}`);
});

test("a login that was refused is told with the name and without the password", () => {
  const deeds = [
    ...told("GET", "/v2/", 401, { request: { headers: basic("ann:secret") } }),
    ...told("PUT", "/v2/a/manifests/1", 429, { request: { headers: basic("ann\n:se:cret") } }),
    ...told("GET", "/v2/a/tags/list", 401, { request: { headers: [["Authorization", "Bearer secret"]] } }),
    ...told("GET", "/v2/", 401, { request: { headers: basic("secret") } }),
  ];
  assert.deepEqual(
    deeds.map(({ action, outcome, claimed, status }) => [action, outcome, claimed, status]),
    [
      ["login", "refused", "ann", 401],
      ["login", "refused", "ann\\n", 429],
      ["login", "refused", undefined, 401],
      ["login", "refused", undefined, 401],
    ],
  );
  assert.doesNotMatch(JSON.stringify(deeds), /secret|cret/);
});

test("what is not allowed is told, reading too; what failed is told with its status", () => {
  for (const [method, target, status, outcome, action] of [
    ["GET", "/v2/a/manifests/1", 403, "refused", "pull"],
    ["GET", "/v2/_catalog", 403, "refused", "pull"],
    ["DELETE", "/v2/a/manifests/1", 403, "refused", "delete"],
    ["DELETE", "/v2/a/manifests/1", 405, "failed", "delete"],
    ["PUT", "/v2/a/manifests/1", 400, "failed", "push"],
    ["PUT", "/v2/a/blobs/uploads/x?digest=none", 503, "failed", "push"],
  ] as const) {
    const [deed, ...more] = told(method, target, status, { principal: "" });
    assert.deepEqual(
      [deed?.outcome, deed?.action, deed?.status, deed?.principal, more.length],
      [outcome, action, status, "", 0],
      `${method} ${target}`,
    );
  }
});

test("garbage collection tells what it removed", () => {
  const lines: string[] = [];
  const log = auditLog({ write: (line) => lines.push(line) }, { now: () => 0 });
  log.decided({ kind: "blob", digest, action: "keep", reason: "leased" });
  log.decided({ kind: "blob", digest, action: "remove", reason: "unreferenced", bytes: 7 });
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        time: always.time,
        action: "collect",
        outcome: "done",
        kind: "blob",
        digest,
        bytes: 7,
        reason: "unreferenced",
      },
    ],
  );
});
