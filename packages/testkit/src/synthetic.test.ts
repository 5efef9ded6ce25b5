import assert from "node:assert/strict";
import { test } from "node:test";
import { collect } from "dray/content";
import { digestOf } from "dray/oci";
import { seededBytes } from "./files/index.ts";
import { describeContent, syntheticContent } from "./synthetic.ts";

test("the stream of a seed is the same wherever it is entered", () => {
  const whole = seededBytes("a", 1000);
  for (const [offset, length] of [
    [0, 1000],
    [1, 15],
    [16, 16],
    [17, 983],
    [999, 1],
    [1000, 0],
  ] as const)
    assert.deepEqual(seededBytes("a", length, offset), whole.slice(offset, offset + length), `${offset}+${length}`);
  assert.notDeepEqual(seededBytes("b", 1000), whole);
});

test("the bytes of a seed never change", () => {
  assert.equal(
    digestOf(seededBytes("a", 100_000)),
    "sha256:f5a8a5f453847e0c504b8b6555faf7855fce01520f99a818c918f3a6211dfb7a",
  );
  // Beyond four gigabytes, where a 32-bit counter would have come round.
  assert.notDeepEqual(seededBytes("a", 16, 2 ** 36), seededBytes("a", 16));
});

test("synthetic content opens at any offset, and is described by what it is", async () => {
  const content = syntheticContent("a", 700_001);
  const whole = await collect(content.open(), 2 ** 20, "content");
  assert.equal(whole.byteLength, 700_001);
  for (const offset of [0, 5, 262_144, 700_000, 700_001]) {
    const rest = await collect(content.open({ offset }), 2 ** 20, "content");
    assert.ok(Buffer.from(rest).equals(whole.subarray(offset)), String(offset));
  }
  const { descriptor } = await describeContent(content, { mediaType: "a/b", algorithm: "sha512" });
  assert.deepEqual(descriptor, { mediaType: "a/b", digest: digestOf(whole, "sha512"), size: 700_001 });
});
