import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeaderPairs, HttpRequest } from "dray/http";
import { factsOf, requestId } from "./observe.ts";

const request = (headers: HeaderPairs = []): HttpRequest => ({ method: "GET", origin: "", target: "/", headers });

test("facts belong to one request and its copies", () => {
  const one = request();
  factsOf(one).principal = "ann";
  assert.equal(factsOf({ ...one, target: "/x" }).principal, "ann");
  assert.equal(factsOf(request()).principal, undefined);
});

test("a proxy names a request, if by a plain word", () => {
  assert.equal(requestId(request([["X-Request-ID", "7f3a-1"]])), "7f3a-1");
  for (const bad of ["", "two words", "line\nbreak", "x".repeat(129), "\u001b[2J"])
    assert.match(requestId(request([["x-request-id", bad]])), /^[0-9a-f]{12}-[0-9a-z]+$/);
});

test("a request keeps its name, and no two have the same", () => {
  const one = request();
  assert.equal(requestId(one), requestId({ ...one }));
  assert.notEqual(requestId(one), requestId(request()));
});
