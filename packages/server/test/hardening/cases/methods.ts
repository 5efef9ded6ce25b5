import type { Case } from "../case.ts";

/** What each endpoint takes; written out here, and not taken from the code. */
const endpoints: Readonly<Record<string, string>> = {
  "/": "GET, HEAD",
  "/v2": "GET, HEAD",
  "/v2/": "GET, HEAD",
  "/v2/_catalog": "GET, HEAD",
  "/v2/_oci/ext/discover": "GET, HEAD",
  "/v2/{app}/_oci/ext/discover": "GET, HEAD",
  "/v2/{app}/tags/list": "GET, HEAD",
  "/v2/{app}/referrers/{image}": "GET, HEAD",
  "/v2/{app}/manifests/latest": "GET, HEAD, PUT, DELETE",
  "/v2/{app}/manifests/{image}": "GET, HEAD, PUT, DELETE",
  "/v2/{app}/blobs/{blob}": "GET, HEAD, DELETE",
  "/v2/{app}/blobs/uploads/": "POST",
  "/v2/{app}/blobs/uploads": "POST",
  "/v2/{app}/blobs/uploads/{session}": "GET, HEAD, PATCH, PUT, DELETE",
};
const methods = [
  "GET",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "TRACE",
  "CONNECT",
  "PROPFIND",
  "get",
  "__proto__",
  "constructor",
];

const refused = Object.entries(endpoints).flatMap(([path, taken]): Case[] =>
  methods
    .filter((method) => !taken.split(", ").includes(method))
    .map((method) => ({
      name: `${method} ${path}`,
      ask: `${method} ${path}`,
      body: "x",
      status: 405,
      code: "UNSUPPORTED",
      shows: { Allow: taken },
    })),
);

const writes: readonly string[] = [
  "PUT /v2/{app}/manifests/new",
  "DELETE /v2/{app}/manifests/latest",
  "DELETE /v2/{app}/manifests/{image}",
  "DELETE /v2/{app}/blobs/{blob}",
  "POST /v2/{app}/blobs/uploads/",
  "POST /v2/{app}/blobs/uploads/?mount={blob}&from={app}",
  "POST /v2/{app}/blobs/uploads/?digest={blob}",
];

export const methodsNotAllowed: readonly Case[] = [
  ...refused,
  ...Object.entries(endpoints)
    .filter(([, taken]) => taken.startsWith("GET"))
    .map(
      ([path]): Case => ({ name: `GET ${path}`, ask: `GET ${path}`, status: path.endsWith("{session}") ? 204 : 200 }),
    ),
  ...Object.keys(endpoints).map(
    (path): Case => ({
      name: `OPTIONS ${path}`,
      ask: `OPTIONS ${path}`,
      headers: { Origin: "https://a.test", "Access-Control-Request-Method": "PUT" },
      status: 204,
      shows: { "Access-Control-Allow-Methods": /PUT/ },
    }),
  ),
  ...writes
    .filter((ask) => ask.startsWith("DELETE"))
    .map(
      (ask): Case => ({
        name: `deleting disabled: ${ask}`,
        ask,
        settings: { deletes: false },
        status: 405,
        code: "UNSUPPORTED",
      }),
    ),
];

/** What a registry that was made read-only answers. */
export const writesWhileReadOnly: readonly Case[] = writes.map((ask) => ({
  name: `read-only: ${ask}`,
  ask,
  status: 405,
  code: "UNSUPPORTED",
}));
