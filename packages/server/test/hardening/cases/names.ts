import { mediaTypes } from "dray/oci";
import type { Case } from "../case.ts";
import { blob, blobDigest, image } from "../sample.ts";

/** None of them is a repository, however it is read. */
export const wrongRepositories: Readonly<Record<string, string>> = {
  nothing: "",
  "a way up": "..",
  "two ways up": "../..",
  "a way up inside": "a/../b",
  "a way up behind": "a/..",
  "a long way up": `${"../".repeat(20)}etc`,
  here: ".",
  "here inside": "a/./b",
  "an escaped way up": "%2e%2e",
  "an escaped way up in capitals": "%2E%2E/%2E%2E",
  "half escaped": ".%2e",
  "an escaped slash": "a%2Fb",
  "an escaped slash and a way up": "..%2f..%2fetc",
  "escaped twice": "%252e%252e%252f",
  "escaped too long, as UTF-8": "%c0%ae%c0%ae%c0%af",
  "escaped in Microsoft's way": "%u002e%u002e",
  backslash: "a\\b",
  "a way up with backslashes": "..\\..",
  "an escaped backslash": "..%5c..",
  zero: "a\0b",
  "an escaped zero": "a%00b",
  "256 characters": "a".repeat(256),
  "many short components": `${"a/".repeat(128)}a`,
  "a folder of the tree": "_uploads",
  "a folder of the tree inside": "a/_manifests/b",
  "a folder of the tree behind": "a/_layers",
  "our folder": "a/_meta",
  umlaut: "ä",
  "escaped umlaut": "%C3%A4",
  "dots of full width": "\uff0e\uff0e",
  "a letter that folds": "\u017fa",
  picture: "\u{1f433}",
  "half a picture": "\ud83d",
  "a turn of direction": "a\u202eb",
  capitals: "Team",
  "a dot before": ".a",
  "a dot behind": "a.",
  "a dash before": "-a",
  "a dash behind": "a-",
  "two dots": "a..b",
  "three underscores": "a___b",
  "a dot and a dash": "a.-b",
  space: "a b",
  "escaped space": "a%20b",
  plus: "a+b",
  colon: "a:b",
  at: "a@b",
  semicolon: "a;b",
  asterisk: "*",
  tilde: "~",
  dollar: "$HOME",
  "a line end": "a\nb",
  "an escaped line end": "a%0d%0aX-Evil:%201",
  escape: "a\u001b[2Jb",
  "an address": "http://evil.test/a",
};

const refused = { status: 400, code: "NAME_INVALID" } as const;
const type = { "Content-Type": mediaTypes.ociManifest };

const invalid = Object.entries(wrongRepositories).flatMap(([what, name]): Case[] => [
  { name: `tags of ${what}`, ask: `GET /v2/${name}/tags/list`, ...refused },
  { name: `GET a manifest of ${what}`, ask: `GET /v2/${name}/manifests/latest`, ...refused },
  { name: `PUT a manifest to ${what}`, ask: `PUT /v2/${name}/manifests/new`, headers: type, body: image, ...refused },
  { name: `DELETE a manifest of ${what}`, ask: `DELETE /v2/${name}/manifests/latest`, ...refused },
  { name: `GET a blob of ${what}`, ask: `GET /v2/${name}/blobs/${blobDigest}`, ...refused },
  { name: `DELETE a blob of ${what}`, ask: `DELETE /v2/${name}/blobs/${blobDigest}`, ...refused },
  { name: `upload to ${what}`, ask: `POST /v2/${name}/blobs/uploads/?digest=${blobDigest}`, body: blob, ...refused },
  { name: `a session of ${what}`, ask: `PATCH /v2/${name}/blobs/uploads/{session}`, body: "x", ...refused },
  { name: `referrers in ${what}`, ask: `GET /v2/${name}/referrers/{image}`, ...refused },
  // Nobody has a blob there, so it becomes an upload; `+` and escapes mean in a query what they do not mean in a path.
  { name: `mount from ${what}`, ask: `POST /v2/{app}/blobs/uploads/?mount={missing}&from=${name}`, status: 202 },
]);

/** Names of which every part means something else as well. */
export const oddRepositories: readonly string[] = [
  "blobs",
  "manifests",
  "tags",
  "tags/list",
  "uploads",
  "blobs/uploads",
  "referrers",
  "v2",
  "v2/v2",
  "ext/discover",
  "a/manifests/b",
  "a/blobs/sha256",
  "a/blobs/uploads/b",
  "a/tags/list",
  "link",
  "data",
  "current",
  "docker/registry/v2",
  "a__b",
  "a---b",
  "a.b-c__d",
  "0",
  "a".repeat(255),
  `${"a/".repeat(127)}a`,
];

const valid = oddRepositories.map(
  (name): Case => ({
    name: `everything in ${name.slice(0, 40)}`,
    before: [
      { ask: `POST /v2/${name}/blobs/uploads/?digest=${blobDigest}`, body: blob, status: 201 },
      { ask: `GET {location}`, status: 200, says: blob },
      { ask: `GET /v2/${name}/blobs/${blobDigest}`, status: 200, says: blob },
      { ask: `POST /v2/${name}/blobs/uploads/`, status: 202 },
      { ask: "PATCH {location}", body: "x", status: 202 },
      { ask: "GET {location}", status: 204, shows: { Range: "0-0" } },
      { ask: "DELETE {location}", status: 204 },
      { ask: `GET /v2/${name}/referrers/{image}`, status: 200 },
    ],
    ask: `PUT /v2/${name}/manifests/list`,
    headers: type,
    body: image,
    status: 201,
    settings: { sparseImages: true },
    after: [
      { ask: "GET {location}", status: 200, says: image },
      { ask: `GET /v2/${name}/manifests/list`, status: 200, says: image },
      { ask: `GET /v2/${name}/tags/list`, status: 200, says: /"tags":\["list"\]/ },
      { ask: "GET /v2/_catalog", status: 200, says: new RegExp(`"${name}"`) },
      { ask: `DELETE /v2/${name}/manifests/list`, status: 202 },
      { ask: `DELETE /v2/${name}/manifests/{image}`, status: 202 },
      { ask: `DELETE /v2/${name}/blobs/${blobDigest}`, status: 202 },
      { ask: `GET /v2/${name}/blobs/${blobDigest}`, status: 404, code: "BLOB_UNKNOWN" },
    ],
  }),
);

const wrongTags: Readonly<Record<string, string>> = {
  "a dot before": ".a",
  "a dash before": "-a",
  here: ".",
  "a way up": "..",
  "an escaped way up": "%2e%2e",
  "an escaped path": "..%2f..%2fetc%2fpasswd",
  backslashes: "..\\..",
  "129 characters": "a".repeat(129),
  space: "a b",
  "escaped space": "a%20b",
  plus: "a+b",
  umlaut: "ä",
  zero: "a%00b",
  "a raw zero": "a\0b",
  escape: "a\u001b[2J",
  "a line end": "a\r\nX",
  asterisk: "*",
};

const tags = Object.entries(wrongTags).flatMap(([what, tag]): Case[] => {
  const wrong = { status: 400, code: "MANIFEST_INVALID" } as const;
  return [
    { name: `GET a tag: ${what}`, ask: `GET /v2/{app}/manifests/${tag}`, ...wrong },
    { name: `PUT a tag: ${what}`, ask: `PUT /v2/{app}/manifests/${tag}`, headers: type, body: image, ...wrong },
    { name: `DELETE a tag: ${what}`, ask: `DELETE /v2/{app}/manifests/${tag}`, ...wrong },
    {
      name: `a tag parameter: ${what}`,
      ask: `PUT /v2/{app}/manifests/{image}?tag=fine&tag=${encodeURIComponent(tag)}`,
      headers: type,
      body: image,
      ...wrong,
      after: [{ ask: "GET /v2/{app}/manifests/fine", status: 404, code: "MANIFEST_UNKNOWN" }],
    },
  ];
});

const elsewhere: readonly Case[] = [
  "/v2x/",
  "/v3/",
  "/v1/_ping",
  "/V2/",
  "/v2/..",
  "/v2/../v2/",
  "/v2/{app}/v2/",
  "/v2/{app}/v2/_catalog",
  "/v2/_uploads",
  "/v2/{app}",
  "/v2/{app}/",
  "/v2/{app}/tags",
  "/v2/{app}/tags/",
  "/v2/{app}/tags/latest",
  "/v2/{app}/manifests",
  "/v2/{app}/uploads/{session}",
  "/v2/{app}/_oci/ext",
  "/v2/_oci/ext/",
  "//v1//",
  "//evil.test//",
  "/v2//..//",
  "/docker/registry/v2/blobs",
  "/favicon.ico",
  "",
  "*",
  "v2/",
].map((target) => ({ name: `no endpoint: "${target}"`, ask: `GET ${target}`, status: 404, code: "UNSUPPORTED" }));

/** Slashes that are too many, as clients write them who join two paths; a name that needs them is still none. */
const joined: readonly Case[] = [
  ["GET //v2/", 301, "/v2/"],
  ["GET /v2//", 301, "/v2/"],
  ["HEAD //v2/", 301, "/v2/"],
  ["GET /v2/_catalog/?n=1", 301, "/v2/_catalog?n=1"],
  ["GET //v2//{app}/tags/list", 301, "/v2/{app}/tags/list"],
  ["GET /v2/a//b/tags/list", 301, "/v2/a/b/tags/list"],
  ["GET /v2/{app}/tags/list/", 301, "/v2/{app}/tags/list"],
  ["GET /v2/{app}/manifests/latest/", 301, "/v2/{app}/manifests/latest"],
  ["GET /v2/{app}/blobs/{blob}/", 301, "/v2/{app}/blobs/{blob}"],
  ["PUT //v2/{app}/manifests/new?tag=a", 308, "/v2/{app}/manifests/new?tag=a"],
  ["DELETE /v2/{app}/manifests/latest/", 308, "/v2/{app}/manifests/latest"],
  ["POST //v2/{app}/blobs/uploads/?digest={blob}", 308, "/v2/{app}/blobs/uploads/?digest={blob}"],
  ["POST /v2/{app}/blobs/uploads//", 308, "/v2/{app}/blobs/uploads/"],
  ["PATCH /v2/{app}/blobs/uploads/{session}/", 308, "/v2/{app}/blobs/uploads/{session}"],
].map(([ask, status, location]) => ({
  name: `slashes too many: ${ask}`,
  ask: String(ask),
  status: Number(status),
  shows: { Location: String(location) },
  after: [{ ask: "GET /v2/{app}/manifests/latest", status: 200, says: image }],
}));
const mounts = ["a//b", "/a", "a/"].map(
  (name): Case => ({
    name: `mount from ${name}`,
    ask: `POST /v2/{app}/blobs/uploads/?mount={missing}&from=${name}`,
    status: 202,
  }),
);

export const names: readonly Case[] = [...invalid, ...valid, ...tags, ...joined, ...mounts, ...elsewhere];
