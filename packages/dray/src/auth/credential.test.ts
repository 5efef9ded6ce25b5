import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCredential, identityOf, kindOf, tokenExpiry } from "./credential.ts";

const source = "a test";

test("what a credential consists of", () => {
  assert.equal(kindOf(undefined), "anonymous");
  assert.equal(kindOf({ source }), "anonymous");
  assert.equal(kindOf({ source, username: "ann", password: "secret" }), "password");
  assert.equal(kindOf({ source, username: "ann", password: "secret", identityToken: "i" }), "identity token");
  assert.equal(kindOf({ source, identityToken: "i", registryToken: "r" }), "registry token");
  assert.equal(describeCredential({ source, username: "ann", password: "secret" }), "password of ann");
});

test("an identity is equal for equal credentials, whatever their source, and tells nothing", () => {
  const ann = { source, username: "ann", password: "secret" };
  assert.equal(identityOf(ann), identityOf({ ...ann, source: "elsewhere" }));
  const others = [
    undefined,
    ann,
    { ...ann, password: "other" },
    { source, identityToken: "secret" },
    { source, registryToken: "secret" },
  ];
  assert.equal(new Set(others.map(identityOf)).size, others.length);
  assert.equal(identityOf({ source }), "anonymous");
  assert.match(identityOf(ann), /^[0-9a-f]{24}$/);
});

test("user and password do not run into each other", () =>
  assert.notEqual(
    identityOf({ source, username: "a", password: "bc" }),
    identityOf({ source, username: "ab", password: "c" }),
  ));

test("a JWT tells when it ends, other text does not", () => {
  const jwt = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;
  assert.deepEqual(tokenExpiry(jwt({ exp: 1_800_000_000 })), new Date(1_800_000_000_000));
  for (const token of ["", "opaque", "a.b.c", jwt({}), jwt(null), jwt({ exp: "soon" }), jwt({ exp: 1e300 })]) {
    assert.equal(tokenExpiry(token), undefined, token);
  }
});
