import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { digestOfManifest } from "./schema1.ts";

const signedType = mediaTypes.dockerSchema1Signed;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const payload = text('{\n   "schemaVersion": 1,\n   "name": "a"\n}');
/** Signatures stand before the closing brace of what was signed. */
const signed = (protectedPart: object, signature = "x"): Uint8Array => {
  const encoded = Buffer.from(JSON.stringify(protectedPart)).toString("base64url");
  const head = new TextDecoder().decode(payload).slice(0, -2);
  return text(`${head},\n   "signatures": [{"signature": "${signature}", "protected": "${encoded}"}]\n}`);
};
const tail = Buffer.from("\n}").toString("base64url");
const right = { formatLength: payload.byteLength - 2, formatTail: tail };

test("the digest of a signed manifest is that of what was signed, whatever the signatures", () => {
  assert.equal(digestOfManifest(signed(right), signedType), digestOf(payload));
  assert.equal(digestOfManifest(signed(right, "other"), signedType), digestOf(payload));
});

test("of any other manifest it is that of the bytes", () => {
  assert.equal(digestOfManifest(payload, mediaTypes.dockerSchema1), digestOf(payload));
  assert.equal(digestOfManifest(payload, mediaTypes.ociManifest, "sha512"), digestOf(payload, "sha512"));
});

for (const bytes of [
  payload,
  encodeJson({ signatures: [] }),
  encodeJson({ signatures: [{ protected: 1 }] }),
  encodeJson({ signatures: [{ protected: "e30" }] }),
  signed({ formatLength: -1, formatTail: tail }),
  signed({ formatLength: 1e9, formatTail: tail }),
  signed({ formatLength: 1 }),
])
  test(`signatures that make no sense: ${new TextDecoder().decode(bytes).slice(0, 40)}`, () =>
    assert.throws(
      () => digestOfManifest(bytes, signedType),
      (error) => isDrayError(error, "MANIFEST_INVALID"),
    ));
