import assert from "node:assert/strict";
import { test } from "node:test";
import { readRefusal, readToken } from "./token-request.ts";

const asked = 1_000_000;
const token = (members: object, date?: string) => readToken(JSON.stringify(members), asked, date);
const life = (members: object, date?: string): number =>
  ((token({ token: "t", ...members }, date)?.expiresAt ?? 0) - asked) / 1000;

test("token or access_token; nothing else is one", () => {
  assert.equal(token({ token: "a" })?.text, "a");
  assert.equal(token({ access_token: "b" })?.text, "b");
  assert.equal(token({ token: "", access_token: "b" })?.text, "b");
  assert.equal(token({ token: "a", access_token: "b" })?.text, "a");
  for (const body of [
    "",
    "{}",
    "null",
    "[]",
    '"t"',
    "<html>",
    '{"token":7}',
    '{"token":"a b"}',
    '{"token":"a\\r\\nX: y"}',
    '{"token":"é"}',
  ]) {
    assert.equal(readToken(body, asked, undefined), undefined, body);
  }
});

test("how long it lives: 60 seconds where nothing sensible is said", () => {
  assert.equal(life({ expires_in: 300 }), 300);
  assert.equal(life({ expires_in: "300" }), 300);
  assert.equal(life({ expires_in: 5 }), 5);
  // A moment in place of a time, in seconds since 1970.
  for (const form of [Number, String])
    assert.equal(
      readToken(JSON.stringify({ token: "t", expires_in: form(2_000_000_300) }), 2_000_000_000_000, undefined)
        ?.expiresAt,
      2_000_000_300_000,
    );
  for (const expires_in of [undefined, null, 0, -5, "soon", {}, []])
    assert.equal(life({ expires_in }), 60, JSON.stringify(expires_in));
});

test("a token from a cache has lived a while, by the service's own clock", () => {
  const date = "Sat, 21 Nov 2026 10:01:40 GMT";
  assert.equal(life({ expires_in: 300, issued_at: "2026-11-21T10:00:00Z" }, date), 200);
  // A clock that is wrong by years, but the same for both, does not matter; times that contradict each other do not count.
  assert.equal(life({ expires_in: 300, issued_at: "2016-11-21T10:00:00Z" }, "Mon, 21 Nov 2016 10:01:40 GMT"), 200);
  assert.equal(life({ expires_in: 300, issued_at: "2026-11-21T09:00:00Z" }, date), 300);
  assert.equal(life({ expires_in: 300, issued_at: "2026-11-21T11:00:00Z" }, date), 300);
  assert.equal(life({ expires_in: 300, issued_at: "2026-11-21T10:00:00Z" }), 300);
  assert.equal(life({ expires_in: 300, issued_at: "nonsense" }, date), 300);
  assert.equal(life({ expires_in: 300, issued_at: 7 }, date), 300);
});

test("it is renewed ten seconds before its end, or after four fifths of a short life", () => {
  const slack = (expires_in: number): number => {
    const { expiresAt = 0, renewAt = 0 } = token({ token: "t", expires_in }) ?? {};
    return (expiresAt - renewAt) / 1000;
  };
  assert.equal(slack(300), 10);
  assert.equal(slack(60), 10);
  assert.equal(slack(5), 1);
});

test("a refresh token comes along", () => {
  assert.equal(token({ token: "t", refresh_token: "r" })?.refreshToken, "r");
  assert.equal(token({ token: "t", refresh_token: "" })?.refreshToken, undefined);
});

const refusals: [body: string, code: string | undefined, message: string][] = [
  ['{"errors":[{"code":"DENIED","message":"requested access is denied"}]}', "DENIED", "requested access is denied"],
  ['{"details":"incorrect username or password"}', undefined, "incorrect username or password"],
  ['{"error":"invalid_grant","error_description":"expired"}', "invalid_grant", "expired"],
  ['{"error":"invalid_grant"}', "invalid_grant", "invalid_grant"],
  ["no such user\nat line 7", undefined, "no such user"],
  ["<html><body>Bad gateway", undefined, ""],
  ['{"unknown":1}', undefined, ""],
  ['{"errors":[7]}', undefined, ""],
  ["", undefined, ""],
];

for (const [body, code, message] of refusals) {
  test(`a refusal: ${body || "nothing"}`, () => assert.deepEqual(readRefusal(body), { message, code }));
}

test("a long refusal is cut", () => assert.equal(readRefusal("x".repeat(1000)).message.length, 300));
