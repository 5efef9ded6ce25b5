import { bare, withJson } from "@dray/service/response";
import { isRepository } from "dray/oci";
import type { Action, Need } from "../access/index.ts";
import { deleteBlob, getBlob, headBlob } from "./blob.ts";
import type { Endpoint, Operation, Route } from "./call.ts";
import { catalog } from "./catalog.ts";
import { deleteManifest, getManifest, headManifest, putManifest } from "./manifest.ts";
import { referrers } from "./referrers.ts";
import { tags } from "./tags.ts";
import { appendToUpload, beginUpload, cancelUpload, endUpload, uploadProgress } from "./uploads.ts";

/** As distribution has it: who pushes must be able to pull as well, and deleting is a right of its own. */
const pull: readonly Action[] = ["pull"];
const push: readonly Action[] = ["pull", "push"];
const remove: readonly Action[] = ["delete"];
const all: readonly Action[] = ["pull", "push", "delete"];

const reading = (
  need: Operation["need"],
  handle: Operation["handle"],
): Readonly<Record<"GET" | "HEAD", Operation>> => ({
  GET: { need, handle },
  HEAD: { need, handle },
});

/**
 * The endpoints of the API. Routes, rights, the methods of a 405, names in metrics and the audit log come from here, and a test compares
 * it with `docs/server-http.md`.
 */
export const endpoints: readonly Endpoint[] = [
  // Answered before anybody is asked who they are.
  { kind: "root", paths: ["/"], methods: reading("nobody", ({ request }) => bare(request, 200)) },
  {
    kind: "ping",
    paths: ["/v2/", "/v2"],
    metric: "base",
    methods: reading("known", ({ request }) => withJson(request, {})),
  },
  { kind: "catalog", paths: ["/v2/_catalog"], metric: "catalog", methods: reading("catalog", catalog) },
  {
    kind: "extensions",
    paths: ["/v2/<name>/_oci/ext/discover", "/v2/_oci/ext/discover"],
    metric: "extensions",
    methods: reading(pull, ({ request }) => withJson(request, { extensions: [] })),
  },
  { kind: "tags", paths: ["/v2/<name>/tags/list"], metric: "tags", methods: reading(pull, tags) },
  {
    kind: "referrers",
    paths: ["/v2/<name>/referrers/<digest>"],
    metric: "referrers",
    methods: reading(pull, referrers),
  },
  {
    kind: "manifest",
    paths: ["/v2/<name>/manifests/<tag>"],
    metric: "manifest",
    content: "manifest",
    methods: {
      GET: { need: pull, handle: getManifest },
      HEAD: { need: pull, handle: headManifest },
      PUT: { need: push, handle: putManifest, audit: "push" },
      DELETE: { need: remove, handle: deleteManifest, audit: "delete" },
    },
  },
  {
    kind: "blob",
    paths: ["/v2/<name>/blobs/<digest>"],
    metric: "blob",
    content: "blob",
    methods: {
      GET: { need: pull, handle: getBlob },
      HEAD: { need: pull, handle: headBlob },
      DELETE: { need: remove, handle: deleteBlob, audit: "delete" },
    },
  },
  {
    kind: "uploads",
    // Docker once pushed to the path without the slash at the end.
    paths: ["/v2/<name>/blobs/uploads/", "/v2/<name>/blobs/uploads"],
    metric: "blob_upload",
    content: "blob",
    methods: { POST: { need: push, handle: beginUpload, audit: "push" } },
  },
  {
    kind: "upload",
    paths: ["/v2/<name>/blobs/uploads/<session>"],
    metric: "blob_upload_chunk",
    content: "blob",
    methods: {
      // To look at a session and to give it up belongs to pushing.
      ...reading(push, uploadProgress),
      PATCH: { need: push, handle: appendToUpload },
      PUT: { need: push, handle: endUpload, audit: "push" },
      DELETE: { need: push, handle: cancelUpload },
    },
  },
];

const byKind = new Map(endpoints.map((endpoint) => [endpoint.kind, endpoint]));

/** The row of a route; none for what ends in an error whatever the method. */
export const endpointOf = ({ kind }: Pick<Route, "kind">): Endpoint | undefined => byKind.get(kind);

/** What a method does there; none for one that the endpoint does not have. */
export const operationOf = (method: string, endpoint: Endpoint): Operation | undefined =>
  Object.hasOwn(endpoint.methods, method) ? endpoint.methods[method] : undefined;

const nobody: Need = { nobody: true };
const known: Need = { known: true };
const deadEnds: readonly string[] = ["invalid", "unknown"];

/**
 * What a request needs: the one place that decides it. A method that is not in the table takes every right there is in the
 * repository, so that those who have them are told that there is no such method; anything else that is not there is for nobody.
 */
export const needOf = (method: string, { kind, repository }: Route): Need => {
  // Ends in an error whatever the method, and never comes to storage.
  if (deadEnds.includes(kind)) return known;
  const endpoint = byKind.get(kind);
  if (endpoint === undefined) return nobody;
  const need = operationOf(method, endpoint)?.need;
  if (need === "known") return known;
  if (need === "catalog") return { catalog: true };
  if (need === "nobody") return nobody;
  if (repository !== undefined) return { repository, actions: need ?? all };
  // The extensions of the registry as a whole.
  return need === undefined ? nobody : known;
};

/** Paths without a repository. */
const whole = new Map<string, Route>();
/** What comes behind a repository: text, and a name behind that or nothing. */
const behind: { readonly kind: string; readonly text: string; readonly named: boolean }[] = [];
for (const { kind, paths } of endpoints)
  for (const path of paths) {
    const [, rest] = path.split("<name>");
    const text = rest?.replace(/<.*>$/, "");
    if (rest === undefined || text === undefined) whole.set(path, { kind });
    else behind.push({ kind, text, named: text !== rest });
  }
// What is written out counts before what may be anything, and more of it before less.
behind.sort((a, b) => Number(a.named) - Number(b.named) || b.text.length - a.text.length);

const unknown: Route = { kind: "unknown" };

/**
 * Reads a raw path from the right: a repository may itself have components called `blobs`, `manifests` or `tags`. A name is
 * compared as it was written: what is escaped in it is no part of any grammar, except the colon of a digest.
 */
export const routeOf = (path: string): Route => {
  const found = whole.get(path);
  if (found !== undefined) return found;
  if (!path.startsWith("/v2/")) return unknown;
  const last = path.lastIndexOf("/") + 1;
  for (const { kind, text, named } of behind) {
    const end = named ? last : path.length;
    if (!path.endsWith(text, end)) continue;
    const repository = path.slice("/v2/".length, end - text.length);
    if (!isRepository(repository) || repository.length > 255) return { kind: "invalid", name: repository };
    return named ? { kind, repository, name: unescaped(path.slice(last)) } : { kind, repository };
  }
  return unknown;
};

/** Some clients escape the colon of a digest. */
const unescaped = (text: string): string => (text.includes("%3") ? text.replace(/%3a/gi, ":") : text);
