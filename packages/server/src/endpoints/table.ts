import { bare, withJson } from "@dray/service/response";
import type { Action } from "../access/index.ts";
import { deleteBlob, getBlob, headBlob } from "./blob.ts";
import type { Endpoint, Operation } from "./call.ts";
import { catalog, referrers, tags } from "./lists.ts";
import { deleteManifest, getManifest, headManifest, putManifest } from "./manifest.ts";
import { appendToUpload, beginUpload, cancelUpload, endUpload, uploadProgress } from "./uploads.ts";

/** As distribution has it: who pushes must be able to pull as well, and deleting is a right of its own. */
const pull: readonly Action[] = ["pull"];
const push: readonly Action[] = ["pull", "push"];
const remove: readonly Action[] = ["delete"];

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
