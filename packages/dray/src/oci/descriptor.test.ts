import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { asDescriptor, bare } from "./descriptor.ts";

const good = { mediaType: "a/b", digest: `sha256:${"0".repeat(64)}`, size: 1 };

test("a descriptor comes back as it is, unknown members and all", () => {
  for (const value of [
    good,
    { ...good, size: 0 },
    { ...good, urls: ["https://a"], data: "aGk=", artifactType: "a/c", annotations: { a: "b" } },
    { ...good, platform: { os: "linux", architecture: "amd64", "os.features": ["x"], later: { deep: [1] } } },
    { ...good, platform: {} },
    { ...good, custom: null, "io.example": { a: [1, { b: 2 }] } },
  ])
    assert.equal(asDescriptor(value, "config"), value);
});

test("a media type that is left out is empty, and so is an annotation that is null", () => {
  for (const mediaType of [undefined, null, ""])
    assert.deepEqual(asDescriptor({ ...good, mediaType }, "config"), { ...good, mediaType: "" });
  const annotations = { a: null, b: "1" };
  assert.deepEqual(asDescriptor({ ...good, annotations }, "config"), { ...good, annotations: { a: "", b: "1" } });
});

test("null counts as left out", () => {
  const value = {
    ...good,
    urls: null,
    annotations: null,
    data: null,
    platform: null,
    artifactType: null,
    custom: null,
  };
  assert.deepEqual(asDescriptor(value, "config"), { ...good, custom: null });
});

test("what is wrong with it, and where", () => {
  for (const [value, why] of [
    [null, /is no descriptor object/],
    [[], /is no descriptor object/],
    ["x", /is no descriptor object/],
    [{ ...good, mediaType: 5 }, /mediaType 5 is no string/],
    [{ ...good, digest: "sha256:abc" }, /digest "sha256:abc" is missing or invalid/],
    [{ ...good, digest: undefined }, /digest null is missing/],
    [{ ...good, size: -1 }, /size -1 must be a number of bytes/],
    [{ ...good, size: 1.5 }, /size 1.5 must/],
    [{ ...good, size: "1" }, /size "1" must/],
    [{ ...good, size: 2 ** 53 }, /must be a number of bytes/],
    [{ ...good, urls: "https://a" }, /urls is no list of strings/],
    [{ ...good, urls: [1] }, /urls is no list of strings/],
    [{ ...good, annotations: [] }, /annotations is no object of strings/],
    [{ ...good, annotations: { a: 1 } }, /annotations is no object of strings/],
    [{ ...good, data: {} }, /data is no string/],
    [{ ...good, artifactType: 1 }, /artifactType is no string/],
    [{ ...good, platform: "linux" }, /platform is no object/],
    [{ ...good, platform: { os: 5 } }, /platform is no object of strings/],
    [{ ...good, platform: { os: "linux", "os.features": "x" } }, /platform is no object of strings/],
  ] as const)
    assert.throws(
      () => asDescriptor(value, "layers[2]"),
      (error) =>
        isDrayError(error, "MANIFEST_INVALID") && error.message.startsWith("layers[2]: ") && why.test(error.message),
      JSON.stringify(value),
    );
});

test("an error shows no more than a line of what it was given", () => {
  const huge = { ...good, digest: "x".repeat(1_000_000) };
  assert.throws(
    () => asDescriptor(huge, "config"),
    (error) => isDrayError(error) && error.message.length < 200,
  );
});

test("what two descriptors of the same bytes agree on", () => {
  const full = asDescriptor({ ...good, annotations: { a: "b" }, platform: { os: "linux", architecture: "amd64" } }, "");
  assert.deepEqual(bare(full), good);
});
