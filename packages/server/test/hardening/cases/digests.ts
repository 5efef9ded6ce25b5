import { digestOf } from "dray/oci";
import type { Ask, Case } from "../case.ts";
import { image, imageDigest } from "../sample.ts";

const hex = "a".repeat(64);
const wrong: Readonly<Record<string, string>> = {
  "upper case hex": `sha256:${hex.toUpperCase()}`,
  "mixed case hex": `sha256:${"aA".repeat(32)}`,
  "63 digits": `sha256:${hex.slice(1)}`,
  "65 digits": `sha256:${hex}a`,
  "no hex": `sha256:${"g".repeat(64)}`,
  "nothing after the colon": "sha256:",
  "nothing before the colon": `:${hex}`,
  "two colons": `sha256:${hex}:`,
  "an algorithm nobody registered": `md5:${"a".repeat(32)}`,
  sha1: `sha1:${"a".repeat(40)}`,
  sha384: `sha384:${"a".repeat(96)}`,
  "sha512 of 64 digits": `sha512:${hex}`,
  "upper case algorithm": `SHA256:${hex}`,
  "the suite's own": "sha256:baddigeststring",
  "a way up": "sha256:..",
  "an escaped way up": "sha256:%2e%2e%2f%2e%2e",
  "a word of every object": "constructor:aaaa",
  "the prototype": "__proto__:aaaa",
  "escaped space": `sha256:${hex}%20`,
  "escaped line end": `sha256:${hex}%0a`,
  "escaped zero": `sha256:${hex}%00`,
  "an algorithm of two": `sha256+b64u:${hex}`,
  "very long": `sha256:${"a".repeat(10_000)}`,
};

const malformed = Object.entries(wrong).flatMap(([what, text]): Case[] => {
  const refused = { status: 400, code: "DIGEST_INVALID" } as const;
  return [
    { name: `GET a blob: ${what}`, ask: `GET /v2/{app}/blobs/${text}`, ...refused },
    { name: `DELETE a blob: ${what}`, ask: `DELETE /v2/{app}/blobs/${text}`, ...refused },
    { name: `GET a manifest: ${what}`, ask: `GET /v2/{app}/manifests/${text}`, ...refused },
    { name: `PUT a manifest: ${what}`, ask: `PUT /v2/{app}/manifests/${text}`, body: image, ...refused },
    { name: `DELETE a manifest: ${what}`, ask: `DELETE /v2/{app}/manifests/${text}`, ...refused },
    { name: `GET referrers: ${what}`, ask: `GET /v2/{app}/referrers/${text}`, ...refused },
    { name: `POST with a digest: ${what}`, ask: `POST /v2/{app}/blobs/uploads/?digest=${text}`, body: "x", ...refused },
    {
      name: `PUT a session: ${what}`,
      ask: `PUT /v2/{app}/blobs/uploads/{session}?digest=${text}`,
      ...refused,
      // Nothing was lost: the client can still say what it meant.
      after: [{ ask: "GET /v2/{app}/blobs/uploads/{session}", status: 204, shows: { Range: "0-4" } }],
    },
    {
      name: `mount: ${what}`,
      ask: `POST /v2/{app}/blobs/uploads/?mount=${text}&from=team/other`,
      status: 202,
      shows: { Range: "0-0" },
    },
  ];
});

/** The five ways to upload, told a digest that the bytes do not have. */
const mismatched = (["sha256", "sha512"] as const).flatMap((algorithm): Case[] => {
  const body = "these are the bytes";
  const said = digestOf(new TextEncoder().encode("and these are not"), algorithm);
  const true256 = digestOf(new TextEncoder().encode(body));
  const begin: Ask = { ask: "POST /v2/{app}/blobs/uploads/", status: 202 };
  const announced: Ask = { ask: `POST /v2/{app}/blobs/uploads/?digest-algorithm=${algorithm}`, status: 202 };
  const chunk = (from: number, to: number): Partial<Ask> => ({
    headers: { "Content-Range": `${from}-${to - 1}` },
    body: body.slice(from, to),
  });
  const refused = { status: 400, code: "DIGEST_INVALID" } as const;
  const after: Ask[] = [
    { ask: `GET /v2/{app}/blobs/${said}`, status: 404, code: "BLOB_UNKNOWN" },
    { ask: `GET /v2/{app}/blobs/${true256}`, status: 404, code: "BLOB_UNKNOWN" },
  ];
  const ended: Ask[] = [...after, { ask: "GET {location}", status: 404, code: "BLOB_UPLOAD_UNKNOWN" }];
  const put = { ask: `PUT {location}?digest=${said}`, ...refused, after: ended };
  return [
    { name: `one POST, ${algorithm}`, ask: `POST /v2/{app}/blobs/uploads/?digest=${said}`, body, ...refused, after },
    { name: `POST and PUT, ${algorithm}`, before: [begin], ...put, body },
    { name: `announced, POST and PUT, ${algorithm}`, before: [announced], ...put, body },
    {
      name: `in chunks, ${algorithm}`,
      before: [
        begin,
        { ask: "PATCH {location}", ...chunk(0, 5), status: 202 },
        { ask: "PATCH {location}", ...chunk(5, body.length), status: 202 },
      ],
      ...put,
    },
    {
      name: `in chunks, the last with the PUT, ${algorithm}`,
      before: [begin, { ask: "PATCH {location}", ...chunk(0, 5), status: 202 }],
      ...put,
      ...chunk(5, body.length),
    },
    {
      name: `streamed, ${algorithm}`,
      before: [begin, { ask: "PATCH {location}", body, length: "unknown", status: 202 }],
      ...put,
    },
  ];
});

const fine: Case[] = [
  { name: "an escaped colon", ask: `GET /v2/{app}/manifests/${imageDigest.replace(":", "%3A")}`, status: 200 },
  { name: "an escaped colon in lower case", ask: `GET /v2/{app}/blobs/${"{blob}".replace(":", "%3a")}`, status: 200 },
  { name: "sha512 that nobody has", ask: `GET /v2/{app}/blobs/sha512:${hex}${hex}`, status: 404, code: "BLOB_UNKNOWN" },
  {
    name: "no digest at the end of a session",
    ask: "PUT /v2/{app}/blobs/uploads/{session}",
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    name: "an empty digest at the end of a session",
    ask: "PUT /v2/{app}/blobs/uploads/{session}?digest=",
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    name: "an algorithm nobody registered, announced",
    ask: "POST /v2/{app}/blobs/uploads/?digest-algorithm=md5",
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    name: "a word of every object, announced",
    ask: "POST /v2/{app}/blobs/uploads/?digest-algorithm=constructor",
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    name: "a manifest by the digest of another",
    ask: "PUT /v2/{app}/manifests/{other}",
    headers: { "Content-Type": "application/vnd.oci.image.manifest.v1+json" },
    body: image,
    status: 400,
    code: "DIGEST_INVALID",
    after: [{ ask: "GET /v2/{app}/manifests/{other}", status: 404, code: "MANIFEST_UNKNOWN" }],
  },
];

export const digests: readonly Case[] = [...malformed, ...mismatched, ...fine];
