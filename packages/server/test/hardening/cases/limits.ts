import { mediaTypes } from "dray/oci";
import type { Ask, Case } from "../case.ts";
import { image, indexWith } from "../sample.ts";

const type = { "Content-Type": mediaTypes.ociManifest };
const lists: Readonly<Record<string, { readonly path: string; readonly all: RegExp; readonly none: RegExp }>> = {
  tags: { path: "/v2/{app}/tags/list", all: /"tags":\["a","b","latest"\]/, none: /"tags":\[\]/ },
  catalog: { path: "/v2/_catalog", all: /"repositories":\["team\/app"\]/, none: /"repositories":\[\]/ },
};
const more: readonly Ask[] = ["a", "b"].map((tag) => ({
  ask: `PUT /v2/{app}/manifests/${tag}`,
  headers: type,
  body: image,
  status: 201,
}));
const noLink = { shows: { Link: null } } as const;

const wrongNumbers = ["-1", "abc", "1.5", "1e3", "0x10", "NaN", "Infinity", "+5", " 5", "5;", "1".repeat(400), "%00"];

const pages = Object.entries(lists).flatMap(([what, { path, all, none }]): Case[] => [
  ...wrongNumbers.map(
    (n): Case => ({
      name: `${what} of n=${n.slice(0, 20)}`,
      ask: `GET ${path}?n=${n === " 5" ? "%205" : n}`,
      // A plus is a space in a query.
      status: 400,
      code: "UNSUPPORTED",
    }),
  ),
  { name: `${what}: n=999999999`, before: more, ask: `GET ${path}?n=999999999`, status: 200, says: all, ...noLink },
  { name: `${what}: n=2^53`, before: more, ask: `GET ${path}?n=${2 ** 49}`, status: 200, says: all, ...noLink },
  { name: `${what}: n=0`, before: more, ask: `GET ${path}?n=0`, status: 200, says: none, ...noLink },
  { name: `${what}: n is left empty`, before: more, ask: `GET ${path}?n=`, status: 200, says: all, ...noLink },
  { name: `${what}: n=007`, before: more, ask: `GET ${path}?n=007`, status: 200, says: all },
  { name: `${what}: two n, the first counts`, before: more, ask: `GET ${path}?n=0&n=5`, status: 200, says: none },
  {
    name: `${what}: last of 16,000 characters`,
    ask: `GET ${path}?last=${"z".repeat(16_000)}`,
    status: 200,
    says: none,
  },
  {
    name: `${what}: last is no name`,
    ask: `GET ${path}?last=${encodeURIComponent("../\0\u202e")}%ed%a0%bd`,
    status: 200,
  },
  { name: `${what}: last is broken UTF-8`, ask: `GET ${path}?last=%ff%fe%c0%af`, status: 200, says: none },
  {
    name: `${what}: last is SQL`,
    before: more,
    ask: `GET ${path}?last=${encodeURIComponent("' OR 1=1; DROP TABLE tags; --")}`,
    status: 200,
    says: all,
  },
  { name: `${what}: an empty last`, before: more, ask: `GET ${path}?last=`, status: 200, says: all },
  {
    name: `${what}: 10,000 parameters`,
    before: more,
    ask: `GET ${path}?${Array.from({ length: 10_000 }, (_, i) => `p${i}=${i}`).join("&")}`,
    status: 200,
    says: all,
  },
  { name: `${what}: 10,000 times n`, ask: `GET ${path}?${"n=0&".repeat(10_000)}`, status: 200, says: none },
  { name: `${what}: nothing but separators`, before: more, ask: `GET ${path}?&&=&&;;=%`, status: 200, says: all },
  { name: `${what}: a prototype`, before: more, ask: `GET ${path}?__proto__=1&constructor=2`, status: 200, says: all },
]);

const attached = JSON.stringify(
  indexWith({
    artifactType: "a/b",
    subject: { mediaType: mediaTypes.ociManifest, digest: `sha256:${"0".repeat(64)}`, size: 1 },
  }),
);
const attach: Ask = {
  ask: "PUT /v2/{app}/manifests/attached",
  headers: { "Content-Type": mediaTypes.ociIndex },
  body: attached,
  status: 201,
};
const referrers = "GET /v2/{app}/referrers/{missing}";
const one = /"manifests":\[\{[^[\]]*\}\]/;
const nobody = /"manifests":\[\]/;

const tagged = (count: number): string =>
  `PUT /v2/{app}/manifests/{image}?${Array.from({ length: count }, (_, i) => `tag=t${i}`).join("&")}`;

export const limits: readonly Case[] = [
  ...pages,
  ...wrongNumbers
    .slice(0, 3)
    .map((n): Case => ({ name: `referrers of n=${n}`, ask: `${referrers}?n=${n}`, status: 400, code: "UNSUPPORTED" })),
  { name: "referrers: n=999999999", before: [attach], ask: `${referrers}?n=999999999`, status: 200, says: one },
  { name: "referrers: a page has one at least", before: [attach], ask: `${referrers}?n=0`, status: 200, says: one },
  { name: "referrers: behind all", before: [attach], ask: `${referrers}?last=z`, status: 200, says: nobody },
  {
    name: "referrers: by type",
    before: [attach],
    ask: `${referrers}?artifactType=a/b`,
    status: 200,
    says: one,
    shows: { "OCI-Filters-Applied": "artifactType" },
  },
  {
    name: "referrers: a type with control characters",
    before: [attach],
    ask: `${referrers}?artifactType=a%0d%0aX:%20y`,
    status: 200,
    says: nobody,
  },
  {
    name: "referrers: a type of 16,000 characters",
    before: [attach],
    ask: `${referrers}?artifactType=${"a".repeat(16_000)}`,
    status: 200,
    says: nobody,
  },
  {
    name: "referrers: an empty type is none",
    before: [attach],
    ask: `${referrers}?artifactType=`,
    status: 200,
    says: one,
    shows: { "OCI-Filters-Applied": null },
  },
  {
    name: "referrers where there is no repository",
    ask: "GET /v2/nobody/here/referrers/{missing}",
    status: 200,
    says: nobody,
  },
  {
    name: "a manifest where there is no repository",
    ask: "GET /v2/nobody/here/manifests/latest",
    status: 404,
    code: "NAME_UNKNOWN",
  },
  {
    name: "tags where there is no repository",
    ask: "GET /v2/nobody/here/tags/list",
    status: 404,
    code: "NAME_UNKNOWN",
  },
  {
    name: "a small page is shown as a link that can be followed",
    before: [
      ...more,
      {
        ask: "GET /v2/{app}/tags/list?n=1",
        status: 200,
        says: /"tags":\["a"\]/,
        shows: { Link: '</v2/{app}/tags/list?n=1&last=a>; rel="next"' },
      },
    ],
    ask: "GET /v2/{app}/tags/list?n=1&last=a",
    status: 200,
    says: /"tags":\["b"\]/,
  },
  {
    name: "10 tags in one PUT",
    ask: tagged(10),
    headers: type,
    body: image,
    status: 201,
    shows: { "OCI-Tag": /^t0, t1, .*, t9$/ },
  },
  {
    name: "100 tags in one PUT",
    ask: tagged(100),
    headers: type,
    body: image,
    status: 201,
    after: [{ ask: "GET /v2/{app}/manifests/t99", status: 200 }],
  },
  { name: "101 tags in one PUT", ask: tagged(101), headers: type, body: image, status: 414, code: "UNSUPPORTED" },
  { name: "1,000 tags in one PUT", ask: tagged(1000), headers: type, body: image, status: 414, code: "UNSUPPORTED" },
  {
    name: "one tag 1,000 times",
    ask: `PUT /v2/{app}/manifests/{image}?${"tag=x&".repeat(1000)}`,
    headers: type,
    body: image,
    status: 201,
    shows: { "OCI-Tag": "x" },
  },
  {
    name: "an empty tag parameter",
    ask: "PUT /v2/{app}/manifests/{image}?tag=",
    headers: type,
    body: image,
    status: 400,
    code: "MANIFEST_INVALID",
  },
  {
    name: "a tag parameter beside a tag means nothing",
    ask: "PUT /v2/{app}/manifests/by-tag?tag=other",
    headers: type,
    body: image,
    status: 201,
    shows: { "OCI-Tag": null },
    after: [{ ask: "GET /v2/{app}/manifests/other", status: 404, code: "MANIFEST_UNKNOWN" }],
  },
];
