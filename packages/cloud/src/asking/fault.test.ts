import assert from "node:assert/strict";
import { test } from "node:test";
import { faultIn } from "./fault.ts";

test("what went wrong is one line, with the name of the error where that says something", () => {
  const named = Object.assign(new Error("User: arn:aws:iam::123456789012:user/ann is not authorized"), {
    name: "AccessDeniedException",
  });
  assert.equal(faultIn(named, {}), "AccessDeniedException: User: arn:aws:iam::123456789012:user/ann is not authorized");
  assert.equal(
    faultIn(Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }), {}),
    "connect ECONNREFUSED 127.0.0.1:1",
  );
  assert.equal(faultIn(new Error("first\r\nsecond"), {}), "first");
  assert.equal(faultIn(new Error("a\u001b[31mb"), {}), "a\\u001b[31mb");
  assert.equal(faultIn(new Error(""), {}), "failed without a word");
  assert.equal(faultIn("a text", {}), "a text");
  assert.equal(faultIn(new Error("x ".repeat(1000)), {}).length, 240);
});

test("no secret of the environment and nothing that looks like a token is said", () => {
  const token = `eyJhbGciOiJub25lIn0.${"QUJD".repeat(20)}.c2lnbmF0dXJl`;
  assert.equal(faultIn(new Error(`bad token ${token} here`), {}), "bad token … here");
  assert.equal(faultIn(new Error("wrong: hunter2-hunter2!"), { AZURE_CLIENT_SECRET: "hunter2-hunter2" }), "wrong: …!");
  assert.equal(faultIn(new Error("in eu-west-1"), { AWS_REGION: "eu-west-1" }), "in eu-west-1");
});
