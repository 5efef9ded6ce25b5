import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import type { Case } from "../case.ts";
import { config, descriptorOf, imageWith, indexWith, layer, missing } from "../sample.ts";

const type = mediaTypes.ociManifest;
const text = (value: unknown): string => JSON.stringify(value);
const put = "PUT /v2/{app}/manifests/new";
const gone = [{ ask: "GET /v2/{app}/manifests/new", status: 404, code: "MANIFEST_UNKNOWN" }] as const;

/** Refused with MANIFEST_INVALID. */
const refused = (name: string, body: string | Uint8Array, contentType: string = type): Case => ({
  name,
  ask: put,
  headers: { "Content-Type": contentType },
  body,
  status: 400,
  code: "MANIFEST_INVALID",
  after: gone,
});

/** Taken, and given back as it came. */
const taken = (
  name: string,
  body: string | Uint8Array,
  contentType: string = type,
  more: Partial<Case> & { shown?: string } = {},
): Case => {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const { shown = contentType, ...rest } = more;
  return {
    name,
    ask: put,
    headers: { "Content-Type": contentType },
    body,
    status: 201,
    ...rest,
    after: [
      {
        ask: "GET /v2/{app}/manifests/new",
        status: 200,
        says: bytes,
        shows: { "Content-Type": shown, "Docker-Content-Digest": digestOf(bytes) },
      },
      ...(rest.after ?? []),
    ],
  };
};

const absent = { mediaType: mediaTypes.ociLayer, digest: missing, size: 5 };
const absentImage = { ...absent, mediaType: type };
const sparseImages = { settings: { sparseImages: true } };
const whole = { settings: { completeIndexes: "all" } } as const;
const amd64 = { settings: { completeIndexes: [{ os: "linux", architecture: "amd64" }] } } as const;
const linux = (architecture: string): object => ({ platform: { os: "linux", architecture, variant: "v8" } });
const elsewhere = { ...absent, urls: ["https://a.test/layer"] };
const lacks = { status: 400, code: "MANIFEST_BLOB_UNKNOWN", after: gone } as const;
const subjectShown = { shows: { "OCI-Subject": missing } };
const attached = { mediaType: mediaTypes.ociManifest, digest: missing, size: 5 };

const references: readonly Case[] = [
  { ...refused("an image whose layer is missing", text(imageWith({ layers: [absent] }))), ...lacks },
  { ...refused("an image whose configuration is missing", text(imageWith({ config: absent }))), ...lacks },
  {
    ...refused("one layer of many is missing", text(imageWith({ layers: [descriptorOf("x/y", layer), absent] }))),
    ...lacks,
  },
  { ...refused("a missing layer twice", text(imageWith({ layers: [absent, absent] }))), ...lacks },
  {
    ...refused(
      "a layer of a kind that may lie elsewhere, and nobody says where",
      text(imageWith({ layers: [{ ...absent, mediaType: mediaTypes.dockerForeignLayer }] })),
    ),
    ...lacks,
  },
  taken("a layer that lies at its URL", text(imageWith({ layers: [elsewhere] }))),
  taken(
    "a foreign layer that lies at its URL",
    text(imageWith({ layers: [{ ...elsewhere, mediaType: mediaTypes.dockerForeignLayer }] })),
  ),
  taken("sparse images: a missing layer", text(imageWith({ layers: [absent] })), type, sparseImages),
  taken("sparse images: a missing configuration", text(imageWith({ config: absent })), type, sparseImages),
  taken("sparse images: the same layer twice", text(imageWith({ layers: [absent, absent] })), type, sparseImages),
  taken("all is there", text(imageWith())),
  taken("an index whose child is missing", text(indexWith({ manifests: [absentImage] })), mediaTypes.ociIndex),
  {
    ...refused("whole indexes: a missing child", text(indexWith({ manifests: [absentImage] })), mediaTypes.ociIndex),
    ...lacks,
    ...whole,
  },
  {
    ...refused(
      "whole indexes: a layer is no manifest",
      text(indexWith({ manifests: [{ ...descriptorOf(type, layer) }] })),
      mediaTypes.ociIndex,
    ),
    ...lacks,
    ...whole,
  },
  taken("whole indexes: a child that is there", text(indexWith()), mediaTypes.ociIndex, whole),
  taken(
    "whole indexes: blobs, as in a cache of BuildKit",
    text(indexWith({ manifests: [descriptorOf(mediaTypes.ociLayer, layer)] })),
    mediaTypes.ociIndex,
    whole,
  ),
  {
    ...refused(
      "whole for a platform: its child is missing",
      text(indexWith({ manifests: [{ ...absentImage, ...linux("amd64") }] })),
      mediaTypes.ociIndex,
    ),
    ...lacks,
    ...amd64,
  },
  taken(
    "whole for a platform: the child of another is missing, and one without a platform",
    text(indexWith({ manifests: [{ ...absentImage, ...linux("arm64") }, absentImage] })),
    mediaTypes.ociIndex,
    amd64,
  ),
  {
    ...refused(
      "whole for a list of no platform: all must be there",
      text(indexWith({ manifests: [absentImage] })),
      mediaTypes.ociIndex,
    ),
    ...lacks,
    settings: { completeIndexes: [] },
  },
  taken("a missing subject", text(imageWith({ subject: attached })), type, subjectShown),
  taken("whole indexes: a missing subject", text(indexWith({ subject: attached })), mediaTypes.ociIndex, {
    ...subjectShown,
    ...whole,
  }),
  taken("an index with a missing subject", text(indexWith({ subject: attached })), mediaTypes.ociIndex, subjectShown),
  taken("no layers", text(imageWith({ layers: [] }))),
  taken("an empty index", text(indexWith({ manifests: [] })), mediaTypes.ociIndex),
];

const typeless = { mediaType: undefined };
const types: readonly Case[] = [
  refused("an image announced as an index", text(imageWith()), mediaTypes.ociIndex),
  refused("an index announced as an image", text(indexWith()), type),
  refused("an OCI image announced as Docker's", text(imageWith()), mediaTypes.dockerManifest),
  refused("an image without a type announced as an index", text(imageWith(typeless)), mediaTypes.ociIndex),
  refused("an index without a type announced as an image", text(indexWith(typeless)), type),
  refused("both shapes, as an image", text(imageWith({ manifests: [] }))),
  refused("both shapes, as an index", text(indexWith({ layers: [] })), mediaTypes.ociIndex),
  refused("both shapes, config in an index", text({ ...imageWith(), ...indexWith() }), mediaTypes.ociIndex),
  refused("both shapes, no type anywhere", text(imageWith({ ...typeless, manifests: [] })), "application/json"),
  refused("layers of schema 1 in an image", text(imageWith({ fsLayers: [] }))),
  refused("the type is a number", text(imageWith({ mediaType: 5 }))),
  refused("the type is a list", text(imageWith({ mediaType: [type] }))),
  refused("the type is no manifest's", text(imageWith({ mediaType: "text/html" }))),
  refused("the type has a line end in it", text(imageWith({ mediaType: `${type}\r\nX: y` })), "application/json"),
  refused("announced as HTML", text(imageWith()), "text/html"),
  refused("announced as a list of types", text(imageWith()), `${type}, ${mediaTypes.ociIndex}`),
  refused("announced as schema 1", text({ schemaVersion: 1, fsLayers: [] }), mediaTypes.dockerSchema1Signed),
  refused("schema 1 announced as JSON", text({ schemaVersion: 1, fsLayers: [] }), "application/json"),
  refused("no type and no JSON", "<html>", ""),
  taken("a type with a parameter", text(imageWith()), `${type}; charset=utf-8`, { shown: type }),
  taken("a type with a parameter that is none", text(imageWith()), `${type};`, { shown: type }),
  taken("a type with white space", text(imageWith()), ` ${type} ; x=y`, { shown: type }),
  taken("a type in capitals", text(imageWith()), type.toUpperCase(), { shown: type }),
  taken("no type outside", text(imageWith()), "", { shown: type }),
  taken("JSON outside", text(imageWith()), "application/json", { shown: type }),
  taken("no type inside", text(imageWith(typeless)), mediaTypes.dockerManifest),
  taken("no type anywhere, an index by its looks", text(indexWith(typeless)), "", { shown: mediaTypes.ociIndex }),
  {
    ...taken("the same bytes under another type: the last one counts", text(imageWith(typeless)), type),
    before: [
      {
        ask: put,
        headers: { "Content-Type": mediaTypes.dockerManifest },
        body: text(imageWith(typeless)),
        status: 201,
      },
      { ask: "GET /v2/{app}/manifests/new", status: 200, shows: { "Content-Type": mediaTypes.dockerManifest } },
    ],
  },
];

const spliced = (members: object, raw: string): string => `${text(imageWith(members)).slice(0, -1)},${raw}}`;
const nested = (open: string, close: string): string =>
  spliced({}, `"x":${open.repeat(10_000)}1${close.repeat(10_000)}`);
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const joined = (...parts: (string | readonly number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === "string" ? utf8(part) : Uint8Array.from(part)))));
const document = text(imageWith());

const json: readonly Case[] = [
  refused("nothing", ""),
  refused("an empty object", "{}"),
  refused("a list", "[]"),
  refused("null", "null"),
  refused("a number", "2"),
  refused("a word", '"manifest"'),
  refused("cut off", document.slice(0, -1)),
  refused("garbage behind", `${document}x`),
  refused("a second document behind", `${document}${document}`),
  refused("a zero behind", `${document}\0`),
  refused("a comma too many", document.replace(/\}$/, ",}")),
  refused("a comment", `/* */${document}`),
  refused("a byte order mark", joined([0xef, 0xbb, 0xbf], document)),
  refused("UTF-16", new Uint8Array(Buffer.from(`\ufeff${document}`, "utf16le"))),
  refused("invalid UTF-8 in a value", joined(document.slice(0, -1), ',"x":"', [0xff, 0xfe], '"}')),
  refused("invalid UTF-8 in a name", joined(document.slice(0, -1), ',"', [0xc0, 0xaf], '":1}')),
  refused("half a surrogate as UTF-8", joined(document.slice(0, -1), ',"x":"', [0xed, 0xa0, 0x80], '"}')),
  refused("UTF-8 cut off at the end", joined(document, [0xe2, 0x82])),
  refused("a raw line end in a text", spliced({}, '"x":"\n"')),
  refused("NaN", spliced({}, '"x":NaN')),
  refused("10,000 lists in one another", nested("[", "]")),
  refused("10,000 objects in one another", nested('{"a":', "}")),
  refused("10,000 lists that never end", spliced({}, `"x":${"[".repeat(10_000)}`)),
  refused("a million empty lists", spliced({}, `"x":[${"[],".repeat(600_000)}0]`)),
  refused("layers twice", spliced({}, '"layers":[]')),
  refused("the type twice", spliced({}, `"mediaType":"${type}"`)),
  refused("a member twice, once escaped", spliced({}, '"l\\u0061yers":[]')),
  refused("an annotation twice", spliced({}, '"annotations":{"a":"1","a":"2"}')),
  refused("a digest twice", document.replace('"digest":', `"digest":"${missing}","digest":`)),
  // Programs in Go take a member in any case for the one they know.
  refused("layers in other letters", spliced({}, '"Layers":[]')),
  refused("layers in other letters alone", text({ ...imageWith({ layers: undefined }), LAYERS: [absent] })),
  refused("the other shape in other letters", spliced({}, '"Manifests":[]')),
  refused("a member in letters that fold to it", spliced({}, '"layer\\u017f":[]')),
  refused("a digest in other letters", document.replace('"digest":', `"Digest":"${missing}","digest":`)),
  taken("white space around", ` \r\n\t${document}\n\n`),
  taken("members that nobody knows", spliced({}, '"x":{"y":[1,null,true,{"z":1e3}]},"":0')),
  taken("brackets in a text", text(imageWith({ annotations: { a: "[".repeat(10_000) } }))),
  taken("a colon in a text, and a quote", text(imageWith({ annotations: { 'a":"b': '":{\\' } }))),
  taken("the same name in two objects", text(imageWith({ x: { y: 1 }, z: { y: 1 } }))),
  taken("an annotation called as a member in other letters", text(imageWith({ annotations: { Layers: "1" } }))),
  taken("half a surrogate, escaped", spliced({}, '"x":"\\ud800"')),
  taken("a prototype", spliced({}, '"__proto__":{"layers":[],"polluted":true}')),
  taken("a prototype among annotations", spliced({}, '"annotations":{"__proto__":"x","constructor":"y"}')),
  taken("a prototype in a descriptor", document.replace('"digest":', '"__proto__":{"size":-1},"digest":')),
  refused("all of it in a prototype", `{"__proto__":${document}}`),
];

const withLayer = (members: object): string => text(imageWith({ layers: [{ ...absent, ...members }] }));
const numbers: readonly Case[] = [
  refused("a size below nothing", withLayer({ size: -1 })),
  refused("no size", withLayer({ size: undefined })),
  refused("a size of null", withLayer({ size: null })),
  refused("a size as text", withLayer({ size: "5" })),
  refused("half a byte", withLayer({ size: 1.5 })),
  refused("a size of 2^53", withLayer({ size: 2 ** 53 })),
  refused("a size of 2^53 + 1", withLayer({}).replace('"size":5', '"size":9007199254740993')),
  refused("a size of 2^64", withLayer({}).replace('"size":5', '"size":18446744073709551616')),
  refused("a size beyond all numbers", withLayer({}).replace('"size":5', '"size":1e999')),
  taken("the largest size", withLayer({ size: 2 ** 53 - 1 }), type, sparseImages),
  taken("a large number that nobody knows", spliced({}, '"x":123456789012345678901234567890')),
  refused("no digest", withLayer({ digest: undefined })),
  refused("a digest of another kind", withLayer({ digest: `md5:${"a".repeat(32)}` })),
  refused("a digest in capitals", withLayer({ digest: missing.toUpperCase() })),
  refused("a digest with a way up", withLayer({ digest: "sha256:../../../../etc/passwd" })),
  refused("a digest that is a list", withLayer({ digest: [missing] })),
  taken("no type of a layer", withLayer({ mediaType: undefined }), type, sparseImages),
  taken("a type of a layer that is null", withLayer({ mediaType: null }), type, sparseImages),
  refused("a type of a layer that is a number", withLayer({ mediaType: 5 })),
  taken(
    "no type of the configuration",
    text(imageWith({ config: { ...descriptorOf("", config), mediaType: undefined } })),
  ),
  taken("members of an index that are null", text(imageWith({ manifests: null, fsLayers: null }))),
  taken("members of an image that are null", text(indexWith({ config: null, layers: null })), mediaTypes.ociIndex),
  taken("annotations that are null", text(imageWith({ annotations: null }))),
  taken("an annotation that is null", text(imageWith({ annotations: { a: null } }))),
  refused("a layer that is null", text(imageWith({ layers: [null] }))),
  refused("layers that are an object", text(imageWith({ layers: {} }))),
  refused("no configuration", text(imageWith({ config: undefined }))),
  refused("a configuration that is a list", text(imageWith({ config: [] }))),
  refused("children that are an object", text(indexWith({ manifests: {} })), mediaTypes.ociIndex),
  refused("an annotation that is a number", text(imageWith({ annotations: { a: 1 } }))),
  refused("annotations that are a list", text(imageWith({ annotations: ["a"] }))),
  refused("a subject without a digest", text(imageWith({ subject: {} }))),
  refused("a subject with a way up", text(imageWith({ subject: { ...attached, digest: "sha256:../x" } }))),
  refused("version 1 of an image", text(imageWith({ schemaVersion: 1 }))),
  refused("version 3", text(imageWith({ schemaVersion: 3 }))),
  refused("a version as text", text(imageWith({ schemaVersion: "2" }))),
  refused("no version", text(imageWith({ schemaVersion: undefined }))),
];

const limit = 4 * 1024 * 1024;
/** A manifest of just so many bytes. */
const ofSize = (size: number): Uint8Array => {
  const empty = text(imageWith({ annotations: { a: "" } })).length;
  return encodeJson(imageWith({ annotations: { a: "x".repeat(size - empty) } }));
};
const tooLarge = { status: 413, code: "SIZE_INVALID" } as const;
const sizes: readonly Case[] = [
  taken("exactly the limit", ofSize(limit)),
  taken("exactly the limit, not announced", ofSize(limit), type, { length: "unknown" }),
  { ...refused("a byte more", ofSize(limit + 1)), ...tooLarge },
  { ...refused("a byte more, not announced", ofSize(limit + 1)), length: "unknown", ...tooLarge },
  { ...refused("much more announced than comes", document), length: 2 ** 40, ...tooLarge },
  { ...refused("a byte more announced than comes", document), length: document.length + 1, code: "SIZE_INVALID" },
  { ...refused("a byte less announced than comes", document), length: document.length - 1, code: "SIZE_INVALID" },
  taken(
    "390 annotations of 10,000 bytes",
    text(
      imageWith({
        annotations: Object.fromEntries(Array.from({ length: 390 }, (_, i) => [`a${i}`, "x".repeat(10_000)])),
      }),
    ),
  ),
  taken(
    "100,000 annotations",
    text(imageWith({ annotations: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`a${i}`, "x"])) })),
  ),
  taken(
    "10,000 layers",
    text(
      imageWith({ layers: Array.from({ length: 10_000 }, (_, i) => ({ ...absent, digest: digestOf(utf8(`${i}`)) })) }),
    ),
    type,
    sparseImages,
  ),
  taken("as large as a smaller limit", document, type, { settings: { largestManifest: document.length } }),
  {
    ...refused("larger than a smaller limit", text(imageWith({ annotations: { a: "b" } }))),
    ...tooLarge,
    settings: { largestManifest: document.length },
  },
  { name: "no body", ask: put, headers: { "Content-Type": type }, status: 400, code: "MANIFEST_INVALID", after: gone },
];

/** What annotations become where they are shown again. */
const shownAgain: readonly Case[] = [
  {
    name: "annotations with control characters and a prototype are data in the list of referrers",
    before: [
      {
        ask: put,
        headers: { "Content-Type": type },
        body: spliced(
          { subject: attached },
          '"annotations":{"__proto__":"x","a":"\\u001b[2J\\r\\nX: y","toString":"z"}',
        ),
        status: 201,
      },
    ],
    ask: "GET /v2/{app}/referrers/{missing}",
    status: 200,
    says: /"annotations":\{"__proto__":"x","a":"\\u001b\[2J\\r\\nX: y","toString":"z"\}/,
  },
];

export const manifests: readonly Case[] = [...references, ...types, ...json, ...numbers, ...sizes, ...shownAgain];
