import { mediaTypes } from "dray/oci";
import type { Ask, Case } from "../case.ts";
import { blob, image, other } from "../sample.ts";

const type = { "Content-Type": mediaTypes.ociManifest };
const manifest = "GET /v2/{app}/manifests/latest";
const blobs = "GET /v2/{app}/blobs/{blob}";
const known = (value: string, ask = manifest, digest = "{image}"): Case => ({
  name: `${ask} with If-None-Match ${value.slice(0, 40)}: known`,
  ask,
  headers: { "If-None-Match": value },
  status: 304,
  shows: { ETag: `"${digest}"`, "Docker-Content-Digest": digest },
});
const news = (value: string, ask = manifest, says: Uint8Array = image): Case => ({
  name: `${ask} with If-None-Match ${value.slice(0, 40)}: news`,
  ask,
  headers: { "If-None-Match": value },
  status: 200,
  says,
});

const latest = (which: "image" | "other"): Ask => ({
  ask: "GET /v2/{app}/manifests/latest",
  status: 200,
  says: which === "image" ? image : other,
});
const put = (name: string, headers: Record<string, string>, status: 201 | 412, tag = "latest"): Case => ({
  name: `PUT ${name}`,
  ask: `PUT /v2/{app}/manifests/${tag}`,
  headers: { ...type, ...headers },
  body: other,
  status,
  ...(status === 412 ? { code: "DENIED" } : {}),
  ...(tag === "latest" ? { after: [latest(status === 201 ? "other" : "image")] } : {}),
});
const remove = (name: string, headers: Record<string, string>, status: 202 | 404 | 412, tag = "latest"): Case => ({
  name: `DELETE ${name}`,
  ask: `DELETE /v2/{app}/manifests/${tag}`,
  headers,
  status,
  ...(status === 412 ? { code: "DENIED", after: [latest("image")] } : {}),
});

export const conditions: readonly Case[] = [
  known('"{image}"'),
  known('W/"{image}"'),
  known("*"),
  known('"a", "{image}"'),
  known(`${'"a", '.repeat(500)}"{image}"`),
  known('"{image}"', "GET /v2/{app}/manifests/{image}"),
  known('"{blob}"', blobs, "{blob}"),
  known("*", blobs, "{blob}"),
  news('"{other}"'),
  known("{image}"),
  news("{other}"),
  {
    name: "a blob that is what If-Match says",
    ask: blobs,
    headers: { "If-Match": '"a", "{blob}"', Range: "bytes=0-9" },
    status: 206,
  },
  {
    name: "a blob that is not what If-Match says",
    ask: blobs,
    headers: { "If-Match": '"{image}"' },
    status: 412,
    code: "DENIED",
  },
  {
    name: "what is known has no type",
    ask: blobs,
    headers: { "If-None-Match": "*" },
    status: 304,
    shows: { "Content-Type": null },
  },
  news('"{image}'),
  news(""),
  news(","),
  news('"a"'),
  news('"{image}"', blobs, blob),
  {
    name: "what is not there is not known either",
    ask: "GET /v2/{app}/manifests/nothing",
    headers: { "If-None-Match": "*" },
    status: 404,
    code: "MANIFEST_UNKNOWN",
  },
  {
    name: "what is known is not sent in part",
    ask: blobs,
    headers: { "If-None-Match": '"{blob}"', Range: "bytes=0-9" },
    status: 304,
  },
  put("where the tag is what I saw", { "If-Match": '"{image}"' }, 201),
  put("where the tag is one of those I saw", { "If-Match": '"a", "{image}"' }, 201),
  put("where there is any", { "If-Match": "*" }, 201),
  put("where the tag is something else", { "If-Match": '"{other}"' }, 412),
  put("with a condition that is none", { "If-Match": "{image}" }, 412),
  put("with an empty condition", { "If-Match": "" }, 412),
  put("where there is none, and there is", { "If-None-Match": "*" }, 412),
  put("where it is not this one, and it is", { "If-None-Match": '"{image}"' }, 412),
  put("where it is not another one", { "If-None-Match": '"{other}"' }, 201),
  put("where there is none", { "If-None-Match": "*" }, 201, "new"),
  put("where there should be one", { "If-Match": "*" }, 412, "new"),
  put("with two conditions that fight", { "If-Match": '"{image}"', "If-None-Match": "*" }, 412),
  remove("where the tag is what I saw", { "If-Match": '"{image}"' }, 202),
  remove("where the tag is something else", { "If-Match": '"{other}"' }, 412),
  remove("with a condition that is none", { "If-Match": "x" }, 412),
  remove("where there should be one", { "If-Match": "*" }, 412, "nothing"),
  remove("a manifest that I saw", { "If-Match": '"{image}"' }, 202, "{image}"),
  remove("a manifest under the name of another", { "If-Match": '"{other}"' }, 412, "{image}"),
  ...["nothing", "{other}"].flatMap((name) =>
    ["{app}", "nobody/here"].map(
      (repository): Case => ({
        name: `DELETE what is not there: ${name} in ${repository}`,
        ask: `DELETE /v2/${repository}/manifests/${name}`,
        status: 404,
        code: "MANIFEST_UNKNOWN",
      }),
    ),
  ),
  ...["{app}", "nobody/here"].map(
    (repository): Case => ({
      name: `DELETE a blob that is not there in ${repository}`,
      ask: `DELETE /v2/${repository}/blobs/{missing}`,
      status: 404,
      code: "BLOB_UNKNOWN",
    }),
  ),
  {
    name: "DELETE what another repository has",
    ask: "DELETE /v2/other/blobs/{blob}",
    status: 404,
    code: "BLOB_UNKNOWN",
    after: [{ ask: blobs, status: 200, says: blob }],
  },
];
