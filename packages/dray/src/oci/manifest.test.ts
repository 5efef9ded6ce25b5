import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { DrayError, isDrayError } from "../errors.ts";
import { digestOf } from "./digest.ts";
import { encodeJson, largestManifest, parseJson } from "./json.ts";
import { artifactTypeOf, childrenOf, parseManifest, subjectOf } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

const descriptor = (mediaType: string, text: string): { mediaType: string; digest: string; size: number } => ({
  mediaType,
  digest: digestOf(new TextEncoder().encode(text)),
  size: text.length,
});
const config = descriptor(mediaTypes.ociConfig, "config");
const layer = descriptor(mediaTypes.ociLayerGzip, "layer");
const child = descriptor(mediaTypes.ociManifest, "child");
const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };
const schema1 = { schemaVersion: 1, fsLayers: [{ blobSum: layer.digest }, { blobSum: layer.digest }] };
const without = (value: object, member: string): object =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== member));

suite("what a document is", () => {
  for (const [name, value, announced, kind, mediaType] of [
    ["an image by its own word", image, undefined, "manifest", mediaTypes.ociManifest],
    [
      "an image as announced",
      without(image, "mediaType"),
      mediaTypes.dockerManifest,
      "manifest",
      mediaTypes.dockerManifest,
    ],
    ["an image by its looks", without(image, "mediaType"), undefined, "manifest", mediaTypes.ociManifest],
    [
      "an empty mediaType is none",
      { ...image, mediaType: "" },
      mediaTypes.ociManifest,
      "manifest",
      mediaTypes.ociManifest,
    ],
    ["a null mediaType is none", { ...image, mediaType: null }, undefined, "manifest", mediaTypes.ociManifest],
    ["a type that says nothing", image, "application/octet-stream", "manifest", mediaTypes.ociManifest],
    ["JSON says nothing", index, "application/json", "index", mediaTypes.ociIndex],
    ["a parameter says nothing", index, `${mediaTypes.ociIndex}; charset=utf-8`, "index", mediaTypes.ociIndex],
    ["an index by its own word", index, undefined, "index", mediaTypes.ociIndex],
    ["an index by its looks", without(index, "mediaType"), undefined, "index", mediaTypes.ociIndex],
    ["a list as announced", without(index, "mediaType"), mediaTypes.dockerList, "index", mediaTypes.dockerList],
    ["schema 1 by its version", schema1, undefined, "schema1", mediaTypes.dockerSchema1],
    ["schema 1 as announced", schema1, mediaTypes.dockerSchema1Signed, "schema1", mediaTypes.dockerSchema1Signed],
    ["schema 1 as JSON", schema1, "application/json", "schema1", mediaTypes.dockerSchema1],
  ] as const)
    test(name, () => {
      const parsed = parseManifest(encodeJson(value), announced);
      assert.deepEqual([parsed.kind, parsed.mediaType], [kind, mediaType]);
    });
});

test("what is refused, and why", () => {
  for (const [value, announced, why] of [
    [[], undefined, /is no JSON object/],
    [null, undefined, /is no JSON object/],
    ["x", undefined, /is no JSON object/],
    // CVE-2021-41190: one document, two meanings.
    [image, mediaTypes.ociIndex, /calls itself ".*manifest.v1\+json" but was announced as ".*index/],
    [{ ...index, layers: [] }, undefined, /an index may not have "layers"/],
    [{ ...index, config }, undefined, /an index may not have "config"/],
    [{ ...image, manifests: [] }, undefined, /an image manifest may not have "manifests"/],
    [{ ...image, fsLayers: [] }, undefined, /may not have "fsLayers"/],
    [{ ...without(image, "mediaType"), manifests: [child] }, undefined, /an index may not have "config"/],
    [{ ...image, schemaVersion: 1 }, undefined, /schemaVersion 1 is not 2/],
    [{ ...schema1, schemaVersion: 2 }, mediaTypes.dockerSchema1, /schemaVersion 2 is not 1/],
    [without(image, "schemaVersion"), undefined, /schemaVersion null is not 2/],
    [{ ...image, schemaVersion: "2" }, undefined, /schemaVersion "2" is not 2/],
    [{ ...image, mediaType: 5 }, undefined, /mediaType 5 is no string/],
    [{ ...image, mediaType: "text/html" }, undefined, /"text\/html" is no media type of a manifest/],
    [without(image, "config"), undefined, /^config: is no descriptor/],
    [{ ...image, config: null }, undefined, /^config: is no descriptor/],
    [{ ...image, layers: {} }, undefined, /"layers" is no list/],
    [{ ...image, layers: [layer, 5] }, undefined, /^layers\[1\]: is no descriptor/],
    [{ ...image, annotations: { a: 1 } }, undefined, /annotations is no object of strings/],
    [{ ...image, artifactType: {} }, undefined, /artifactType \{\} is no string/],
    [{ ...image, subject: {} }, undefined, /^subject: digest null is missing/],
    [{ ...index, manifests: [{ ...child, size: -1 }] }, undefined, /^manifests\[0\]: size -1/],
    [{ ...index, subject: [] }, undefined, /^subject: is no descriptor/],
    [{ ...schema1, fsLayers: [{ blobSum: "x" }] }, undefined, /a blobSum is no digest/],
  ] as const)
    assert.throws(
      () => parseManifest(encodeJson(value), announced),
      (error) => {
        assert.ok(isDrayError(error, "MANIFEST_INVALID"));
        assert.match(error.message, why);
        return true;
      },
      JSON.stringify(value),
    );
  for (const text of ["", "{", "{} x", "{'a':1}", '{"a":NaN}', "\ufeff\ufeff{}"])
    assert.throws(() => parseManifest(new TextEncoder().encode(text)), { code: "MANIFEST_INVALID" }, text);
  assert.throws(() => parseManifest(Uint8Array.of(0x22, 0xff, 0x22)), { code: "MANIFEST_INVALID" });
});

test("too large, too deep or too much is refused before it is parsed", () => {
  assert.throws(() => parseManifest(new Uint8Array(largestManifest + 1)), { code: "LIMIT_EXCEEDED" });
  const nested = (open: string, close: string, depth: number): Uint8Array =>
    new TextEncoder().encode(`${open.repeat(depth)}1${close.repeat(depth)}`);
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    assert.throws(() => parseJson(nested(open, close, 65), "test"), { code: "LIMIT_EXCEEDED" });
    assert.throws(() => parseJson(nested(open, close, 1_000_000), "test"), { code: "LIMIT_EXCEEDED" });
    assert.doesNotThrow(() => parseJson(nested(open, close, 64), "test"));
  }
  const wide = (count: number): Uint8Array => new TextEncoder().encode(`[${"{},".repeat(count)}0]`);
  assert.throws(() => parseJson(wide(500_000), "test"), { code: "LIMIT_EXCEEDED" });
  assert.doesNotThrow(() => parseJson(wide(499_999), "test"));
  // Brackets in a string are no levels, whatever is escaped around them.
  const text = { a: `${"[".repeat(200)}\\"${"{".repeat(200)}` };
  assert.deepEqual(parseJson(encodeJson(text), "test"), text);
});

test("down, up and what for", () => {
  const subject = descriptor(mediaTypes.ociManifest, "subject");
  for (const [value, children, up, artifactType] of [
    [image, [config, layer], undefined, mediaTypes.ociConfig],
    [{ ...image, artifactType: "a/b", subject }, [config, layer], subject, "a/b"],
    [{ ...image, artifactType: "", subject: null }, [config, layer], undefined, mediaTypes.ociConfig],
    [{ ...image, layers: null }, [config], undefined, mediaTypes.ociConfig],
    [without(image, "layers"), [config], undefined, mediaTypes.ociConfig],
    [index, [child], undefined, undefined],
    [{ ...index, artifactType: "a/b", subject }, [child], subject, "a/b"],
    [{ ...index, manifests: null }, [], undefined, undefined],
    // Members of the other kind that are null are none.
    [{ ...index, config: null, layers: null }, [child], undefined, undefined],
    [{ ...image, manifests: null, fsLayers: null }, [config, layer], undefined, mediaTypes.ociConfig],
    [{ ...image, config: without(config, "mediaType") }, [{ ...config, mediaType: "" }, layer], undefined, undefined],
    [schema1, [], undefined, undefined],
  ] as const) {
    const parsed = parseManifest(encodeJson(value));
    assert.deepEqual(childrenOf(parsed), children);
    assert.deepEqual(subjectOf(parsed), up);
    assert.equal(artifactTypeOf(parsed), artifactType);
  }
  const parsed = parseManifest(encodeJson(schema1));
  assert.deepEqual(parsed.kind === "schema1" && parsed.blobs, [layer.digest]);
});

const json = fc.jsonValue({ maxDepth: 4 });
const members = fc.dictionary(fc.string({ minLength: 1 }), json, { maxKeys: 5 });
const known = new Set(
  `schemaVersion mediaType artifactType config layers manifests fsLayers subject annotations digest size urls data
  platform`.split(/\s+/),
);
const unknown = members.map((value) => Object.fromEntries(Object.entries(value).filter(([name]) => !known.has(name))));
const annotations = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });

test("members that nobody knows survive, in their order", () => {
  fc.assert(
    fc.property(unknown, unknown, unknown, annotations, (top, inConfig, inLayer, noted) => {
      const value = {
        ...top,
        ...image,
        config: { ...config, ...inConfig },
        layers: [{ ...inLayer, ...layer }],
        annotations: noted,
      };
      const parsed = parseManifest(encodeJson(value));
      assert.ok(parsed.kind === "manifest");
      assert.equal(JSON.stringify(parsed.manifest), JSON.stringify(value));
      const list = { ...index, ...top, manifests: [{ ...child, ...inConfig }] };
      const indexed = parseManifest(encodeJson(list));
      assert.ok(indexed.kind === "index");
      assert.equal(JSON.stringify(indexed.index), JSON.stringify(list));
    }),
  );
});

/** Documents that are nearly right: each member mostly a good one, else anything. */
const mostly = <T>(good: T | fc.Arbitrary<T>): fc.Arbitrary<unknown> => {
  const arbitrary = good instanceof fc.Arbitrary ? good : fc.constant(good);
  return fc.oneof({ weight: 15, arbitrary: arbitrary as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: json });
};
const someDescriptor = mostly(
  fc.record(
    {
      mediaType: mostly(mediaTypes.ociLayer),
      digest: mostly(layer.digest),
      size: mostly(5),
      platform: mostly(fc.record({ os: mostly("linux"), architecture: mostly("amd64") }, { requiredKeys: [] })),
      annotations: mostly(annotations),
      urls: mostly(["https://a"]),
    },
    { requiredKeys: ["mediaType", "digest", "size"] },
  ),
);
const descriptors = mostly(fc.array(someDescriptor, { maxLength: 3 }));
const shared = {
  schemaVersion: mostly(2),
  mediaType: mostly(fc.constantFrom(...Object.values(mediaTypes))),
  subject: someDescriptor,
  annotations: mostly(annotations),
  artifactType: mostly("a/b"),
};
const someManifest = fc.oneof(
  fc.record({ ...shared, config: someDescriptor, layers: descriptors }, { requiredKeys: ["schemaVersion", "config"] }),
  fc.record({ ...shared, manifests: descriptors }, { requiredKeys: ["schemaVersion"] }),
  fc.record(
    { ...shared, schemaVersion: mostly(1), fsLayers: mostly([{ blobSum: layer.digest }]) },
    { requiredKeys: [] },
  ),
);

test("any JSON is understood or refused by a DrayError, and what is understood can be walked", () => {
  const announced = fc.option(fc.constantFrom(...Object.values(mediaTypes), "application/json"), { nil: undefined });
  let understood = 0;
  fc.assert(
    fc.property(fc.oneof(json, { weight: 4, arbitrary: someManifest }), announced, (value, mediaType) => {
      let parsed: ReturnType<typeof parseManifest>;
      try {
        parsed = parseManifest(encodeJson(value), mediaType);
      } catch (error) {
        assert.ok(error instanceof DrayError, String(error));
        assert.ok(error.message.length < 500);
        return;
      }
      understood++;
      for (const { digest, size, platform } of childrenOf(parsed)) {
        assert.equal(typeof digest, "string");
        assert.ok(size >= 0);
        assert.notEqual(platform, null);
      }
      assert.notEqual(subjectOf(parsed), null);
      assert.ok(["string", "undefined"].includes(typeof artifactTypeOf(parsed)));
    }),
    { numRuns: 300 },
  );
  assert.ok(understood > 0);
});

test("any bytes are understood or refused by a DrayError", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.throws(() => parseManifest(bytes), DrayError);
    }),
  );
});
