import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDrayError } from "../errors.ts";
import { algorithmOf, type Digest, digester, digestOf, hexOf, isDigest, parseDigest } from "./digest.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("digests of known bytes", () => {
  assert.equal(digestOf(bytes("{}")), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  assert.equal(digestOf(bytes("")), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(
    digestOf(bytes(""), "sha512"),
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
  );
});

test("what is no digest, and why", () => {
  for (const [text, why] of [
    ["", /expected algorithm:hex/],
    ["sha256", /expected algorithm:hex/],
    ["sha256:", /expected algorithm:hex/],
    [":abc", /expected algorithm:hex/],
    ["SHA256:abc", /expected algorithm:hex/],
    ["sha256:ab cd", /expected algorithm:hex/],
    ["sha256:../../etc", /expected algorithm:hex/],
    [`sha256:${"0".repeat(64)}\n`, /expected algorithm:hex/],
    ["sha256:abc", /sha256 has 64 hex digits, this has 3/],
    [`sha512:${"0".repeat(64)}`, /sha512 has 128 hex digits, this has 64/],
    [`sha256:${"0".repeat(63)}g`, /must be 0-9 and a-f/],
    [`sha256:${"A".repeat(64)}`, /lower case/],
    ["md5:abc", /"md5" is not supported; sha256 and sha512 are/],
    ["sha256+b64:abc", /"sha256\+b64" is not supported/],
    // A word that every JavaScript object answers to.
    ["constructor:abc", /"constructor" is not supported/],
  ] as const) {
    assert.equal(isDigest(text), false, text);
    assert.throws(
      () => parseDigest(text),
      (error) => isDrayError(error, "DIGEST_INVALID") && why.test(error.message),
      text,
    );
  }
  for (const value of [undefined, null, 5, {}, []]) assert.equal(isDigest(value), false);
});

test("a digest falls into its parts, and a running hash ends in the same", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), fc.constantFrom("sha256", "sha512"), (content, at, algorithm) => {
      const digest = digestOf(content, algorithm);
      assert.equal(parseDigest(digest), digest);
      assert.equal(algorithmOf(digest), algorithm);
      assert.equal(`${algorithm}:${hexOf(digest)}`, digest);
      const running = digester(algorithm);
      const cut = at % (content.byteLength + 1);
      running.update(content.subarray(0, cut));
      running.update(content.subarray(cut));
      assert.equal(running.digest(), digest);
    }),
  );
});

test("any text is a digest or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9+._-]{0,10}:[a-zA-Z0-9=_-]{0,70}$/)), (text) => {
      if (isDigest(text)) assert.equal(parseDigest(text), text);
      else assert.throws(() => parseDigest(text), { code: "DIGEST_INVALID" });
    }),
  );
});

test("what is no digest has no hexadecimal part, since files are named by it", () => {
  for (const text of ["sha256:../../secret", "sha256:", `sha512:${"0".repeat(64)}`, `md5:${"0".repeat(32)}`])
    assert.throws(
      () => hexOf(text as Digest),
      (error) => isDrayError(error, "DIGEST_INVALID"),
      text,
    );
});
