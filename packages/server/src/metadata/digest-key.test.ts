import assert from "node:assert/strict";
import { test } from "node:test";
import type { Digest } from "dray/oci";
import fc from "fast-check";
import { digestOfKey, keyBefore, keyOf, packed, shortKey, unpacked } from "./digest-key.ts";

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const digest = fc
  .oneof(
    hex(64).map((text) => `sha256:${text}`),
    hex(128).map((text) => `sha512:${text}`),
    fc.constantFrom(`sha256:${"0".repeat(64)}`, `sha256:${"f".repeat(64)}`, `sha512:${"0".repeat(128)}`),
  )
  .map((text) => text as Digest);

test("a digest survives its key, alone and among others", () => {
  fc.assert(
    fc.property(fc.array(digest), (digests) => {
      assert.deepEqual(
        digests.map((each) => digestOfKey(hexOf(keyOf(each)))),
        digests,
      );
      assert.deepEqual(unpacked(hexOf(packed(digests))), digests);
      for (const each of digests) assert.ok(Number.isSafeInteger(shortKey(each)));
    }),
  );
});

test("keys behind a text are the digests behind it, whatever the text", () => {
  const start = fc.tuple(digest, fc.nat(140)).map(([each, length]) => each.slice(0, length));
  const odd = fc.tuple(start, fc.constantFrom("", "/", "0", ":", "A", "a", "f", "g", "~", "é"), fc.string());
  const text = fc.oneof(
    odd.map((parts) => parts.join("")),
    fc.string(),
    digest,
  );
  fc.assert(
    fc.property(digest, text, (each, after) => {
      assert.equal(Buffer.compare(keyOf(each), keyBefore(after)) > 0, each > after, after);
      const own = each.slice(0, after.length);
      assert.equal(Buffer.compare(keyOf(each), keyBefore(own)) > 0, each > own, own);
    }),
    { numRuns: 1000 },
  );
});
