import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { test } from "node:test";
import { libtrustName, prettySigned } from "./libtrust.ts";

/** As a client of libtrust reads it: the payload, once its signature is verified. */
const payloadOf = (signed: Uint8Array): Buffer => {
  const { signatures } = JSON.parse(Buffer.from(signed).toString()) as {
    signatures: { header: { jwk: JsonWebKey & { kid: string }; alg: string }; signature: string; protected: string }[];
  };
  const [first] = signatures;
  assert.ok(first !== undefined && signatures.length === 1);
  const { formatLength, formatTail, time } = JSON.parse(Buffer.from(first.protected, "base64url").toString());
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const payload = Buffer.concat([signed.subarray(0, formatLength), Buffer.from(formatTail, "base64url")]);
  const { alg, jwk } = first.header;
  assert.equal(alg, "ES256");
  const key = createPublicKey({ key: jwk, format: "jwk" });
  assert.equal(jwk.kid, libtrustName(key));
  const said = Buffer.from(`${first.protected}.${payload.toString("base64url")}`);
  const signature = Buffer.from(first.signature, "base64url");
  assert.ok(verify("sha256", said, { key, dsaEncoding: "ieee-p1363" }, signature), "the signature is none");
  return payload;
};

test("a document that is signed gives its own bytes back, however it is written", () => {
  for (const text of [
    '{"schemaVersion":1}',
    '{"schemaVersion":1,"name":"ä}"}\n\n',
    '{\n   "schemaVersion": 1,\n   "fsLayers": []\n}',
    '{\n\t"a": {\n\t\t"b": 1\n\t}\n}',
    '{ "a": "}" }',
  ]) {
    const signed = prettySigned(Buffer.from(text), 0) ?? assert.fail(text);
    assert.equal(payloadOf(signed).toString(), text);
  }
});

test("what is no object with members is not signed", () => {
  for (const text of ["", "{}", "[]", "{ }", "1", '{"a":1'])
    assert.equal(prettySigned(Buffer.from(text), 0), undefined, text);
});
