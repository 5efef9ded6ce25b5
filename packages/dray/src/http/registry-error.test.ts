import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesBody } from "../content/index.ts";
import type { ErrorCode } from "../errors.ts";
import { responseError } from "./registry-error.ts";
import type { HeaderPairs, HttpResponse } from "./types.ts";

const response = (status: number, text: string, headers: HeaderPairs = []): HttpResponse => ({
  status,
  headers,
  url: "https://r.example:5000/v2/a/manifests/1?token=secret",
  body: bytesBody(Buffer.from(text)),
});
const body = (...errors: object[]): string => JSON.stringify({ errors });

test("the headers of the answer are the error's, but for what may be a secret", async () => {
  const error = await responseError(
    response(404, "", [
      ["X-JFrog-Version", "Artifactory/7.84"],
      ["Docker-RateLimit-Source", "192.0.2.1"],
      ["Set-Cookie", "session=secret"],
      ["Location", "https://s3.example/b?X-Amz-Signature=secret"],
    ]),
    "reading x",
  );
  assert.equal(new Headers(error.headers as [string, string][]).get("x-jfrog-version"), "Artifactory/7.84");
  assert.deepEqual(error.headers, [
    ["X-JFrog-Version", "Artifactory/7.84"],
    ["Docker-RateLimit-Source", "192.0.2.1"],
    ["Set-Cookie", "REDACTED"],
    ["Location", "https://s3.example/b?X-Amz-Signature=REDACTED"],
  ]);
});

test("a condition that does not hold is a conflict", async () => {
  const error = await responseError(response(412, ""), "pushing x");
  assert.deepEqual([error.code, error.status, error.retryable], ["CONFLICT", 412, false]);
});

test("the registry's words become an error with a code, a reason and a remedy", async () => {
  const unknown = { code: "MANIFEST_UNKNOWN", message: "manifest unknown", detail: { Tag: "1" } };
  const table: readonly [HttpResponse, ErrorCode, string | undefined, string][] = [
    [
      response(404, body(unknown)),
      "NOT_FOUND",
      "MANIFEST_UNKNOWN",
      "reading x: r.example:5000 answered 404: MANIFEST_UNKNOWN: manifest unknown; check the name",
    ],
    [
      response(401, body({ code: "UNAUTHORIZED", message: "authentication required" })),
      "UNAUTHORIZED",
      "UNAUTHORIZED",
      "reading x: r.example:5000 answered 401: UNAUTHORIZED: authentication required",
    ],
    [
      response(403, body({ code: "DENIED" }, { code: "DENIED", message: "no", detail: "quota" })),
      "DENIED",
      "DENIED",
      "reading x: r.example:5000 answered 403: DENIED; DENIED: no (quota); these credentials may not do this; check the name and the account's rights",
    ],
    ...["a may take 10GiB and has 9GiB; delete something", "the quota is used up", "read-only at the moment"].map(
      (message): [HttpResponse, ErrorCode, string, string] => [
        response(403, body({ code: "DENIED", message })),
        "DENIED",
        "DENIED",
        `reading x: r.example:5000 answered 403: DENIED: ${message}`,
      ],
    ),
    ...[400, 403].map((status): [HttpResponse, ErrorCode, string, string] => [
      response(status, body({ code: "TOOMANYREQUESTS", message: "slow down" })),
      "RATE_LIMITED",
      "TOOMANYREQUESTS",
      `reading x: r.example:5000 answered ${status}: TOOMANYREQUESTS: slow down; wait, or log in for a higher limit`,
    ]),
    [
      response(413, "<html><title>413 Request Entity Too Large</title></html>"),
      "REGISTRY",
      undefined,
      "reading x: r.example:5000 answered 413: 413 Request Entity Too Large; something on the way takes no more at once; raise its limit (nginx: client_max_body_size)",
    ],
    [
      response(415, ""),
      "REGISTRY",
      undefined,
      "reading x: r.example:5000 answered 415; the registry does not take this media type: its operator may have to allow it, or another registry takes it",
    ],
    [
      response(406, ""),
      "REGISTRY",
      undefined,
      "reading x: r.example:5000 answered 406; the registry has it in no form that is understood here",
    ],
    [
      response(429, "slow down", [["Retry-After", "30"]]),
      "RATE_LIMITED",
      undefined,
      "reading x: r.example:5000 answered 429: slow down; try again in 30 s",
    ],
    [response(404, ""), "NOT_FOUND", undefined, "reading x: r.example:5000 answered 404; check the name"],
    [
      response(502, "<html><head><title>502 Bad\n Gateway</title></head><body>long</body>"),
      "REGISTRY",
      undefined,
      "reading x: r.example:5000 answered 502: 502 Bad Gateway; the registry has a fault; try again later",
    ],
    [
      response(400, '{"error":"invalid_scope"}'),
      "REGISTRY",
      undefined,
      "reading x: r.example:5000 answered 400: invalid_scope",
    ],
    [
      response(400, '{"message":"bad name"}'),
      "REGISTRY",
      undefined,
      "reading x: r.example:5000 answered 400: bad name",
    ],
    [
      response(400, body({ code: "DENIED", message: "no" })),
      "DENIED",
      "DENIED",
      "reading x: r.example:5000 answered 400: DENIED: no; these credentials may not do this; check the name and the account's rights",
    ],
    [
      response(418, '{"errors":[null,1,{"code":5}]}'),
      "REGISTRY",
      undefined,
      'reading x: r.example:5000 answered 418: {"errors":[null,1,{"code":5}]}',
    ],
    [response(418, "null"), "REGISTRY", undefined, "reading x: r.example:5000 answered 418: null"],
  ];
  for (const [answer, code, registryCode, message] of table) {
    const error = await responseError(answer, "reading x", { reference: "r.example/a:1" });
    assert.equal(error.message, message);
    assert.deepEqual(
      [error.code, error.registryCode, error.status, error.registry, error.reference],
      [code, registryCode, answer.status, "r.example:5000", "r.example/a:1"],
    );
  }
});

test("whether it may pass, and how long that takes, is said", async () => {
  const limited = await responseError(response(429, "", [["Retry-After", "30"]]), "x");
  assert.deepEqual([limited.retryable, limited.retryAfter], [true, 30]);
  const missing = await responseError(response(404, ""), "x");
  assert.deepEqual([missing.retryable, missing.retryAfter], [false, undefined]);
  const refused = await responseError(response(401, ""), "x", { registry: "docker.io" });
  assert.deepEqual([refused.remedy, refused.registry], ["log-in", "docker.io"]);
});

test("an endless or broken body does no harm, and is let go of", async () => {
  let [read, discarded] = [0, 0];
  async function* endless() {
    for (;;) {
      read += 10_000;
      yield new Uint8Array(10_000).fill(97);
    }
  }
  async function* broken() {
    yield Buffer.from('{"errors":[');
    throw new Error("cut");
  }
  for (const chunks of [endless(), broken()]) {
    const answer = { ...response(500, ""), body: { chunks, discard: async () => void discarded++ } };
    const error = await responseError(answer, "x");
    assert.equal(error.status, 500);
    assert.ok(error.message.length < 600);
  }
  assert.equal(read, 70_000);
  assert.equal(discarded, 2);
});
