import { bytesBody, collect } from "dray/content";
import { isDrayError } from "dray/errors";
import { type HttpResponse, header } from "dray/http";
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  digestOf,
  isDigest,
  isForeignLayerType,
  isObject,
  isTag,
} from "dray/oci";
import { bodyChunks } from "../body.ts";
import { type HeaderRecord, refuse, respond } from "../respond.ts";
import type { Call } from "./call.ts";
import type { Route } from "./route.ts";
import { manifestDigest, type RepositoryState, removeTag, repositoryOf, setTag } from "./state.ts";

const fourMiB = 4 * 1024 * 1024;

/** `GET`, `HEAD`, `PUT` and `DELETE` of a manifest, by tag or digest. */
export const manifest = async (call: Call, route: Route & { kind: "manifest" }): Promise<HttpResponse> => {
  const { request } = call;
  if (route.name.includes(":") ? !isDigest(route.name) : !isTag(route.name))
    return refuse(
      request,
      400,
      route.name.includes(":") ? "DIGEST_INVALID" : "MANIFEST_INVALID",
      "no tag and no digest",
    );
  switch (request.method) {
    case "GET":
    case "HEAD":
      return read(call, route);
    case "PUT":
      return put(call, route);
    case "DELETE":
      return remove(call, route);
    default:
      return refuse(request, 405, "UNSUPPORTED", `${request.method} is not supported here`);
  }
};

const read = ({ request, state, options }: Call, { repository, name }: Route & { kind: "manifest" }): HttpResponse => {
  const held = state.repositories.get(repository);
  if (held === undefined) return refuse(request, 404, "NAME_UNKNOWN", `there is no repository ${repository}`);
  const digest = manifestDigest(held, name);
  const found = digest && held.manifests.get(digest);
  if (digest === undefined || found === undefined)
    return refuse(request, 404, "MANIFEST_UNKNOWN", `${repository} has no manifest ${name}`);
  const headers = {
    "Content-Type": found.mediaType,
    "Content-Length": String(found.bytes.byteLength),
    ...(request.method === "HEAD" && options.headDigest === false ? {} : { "Docker-Content-Digest": digest }),
    ...(options.conditional ? { ETag: `"${digest}"` } : {}),
  };
  return request.method === "HEAD"
    ? respond(request, 200, headers)
    : respond(request, 200, headers, bytesBody(found.bytes.slice()));
};

const put = async (call: Call, { repository, name }: Route & { kind: "manifest" }): Promise<HttpResponse> => {
  const { request, state, options, query } = call;
  const stale = preconditionFault(call, state.repositories.get(repository), name);
  if (stale !== undefined) return refuse(request, 412, "DENIED", stale);
  const tags = isDigest(name) ? query.getAll("tag") : [];
  if (tags.length > 32) return refuse(request, 414, "UNSUPPORTED", "more than 32 tags");
  if (!tags.every(isTag)) return refuse(request, 400, "MANIFEST_INVALID", "a tag parameter is no tag");
  const bytes = await bodyOf(call);
  if (bytes === undefined) return refuse(request, 413, "SIZE_INVALID", "the manifest is too large");
  const mediaType = (header(request.headers, "Content-Type") ?? "").split(";")[0]?.trim() ?? "";
  const value = jsonObject(bytes);
  if (value === undefined) return refuse(request, 400, "MANIFEST_INVALID", "the manifest is no JSON object");
  if (typeof value["mediaType"] === "string" && value["mediaType"] !== mediaType)
    return refuse(request, 400, "MANIFEST_INVALID", `Content-Type is ${mediaType}, mediaType ${value["mediaType"]}`);
  const digest = digestOf(bytes, isDigest(name) ? algorithmOf(name) : "sha256");
  if (isDigest(name) && digest !== name)
    return refuse(request, 400, "DIGEST_INVALID", `the manifest's digest is ${digest}`);
  const held = repositoryOf(state, repository);
  const missing = options.sparse ? undefined : missingChild(held, value);
  if (missing !== undefined) return refuse(request, 400, "MANIFEST_BLOB_UNKNOWN", `${repository} has no ${missing}`);
  held.manifests.set(digest, { mediaType, bytes });
  const named = isDigest(name) ? tags : [name];
  for (const tag of named) setTag(held, tag, digest);
  return respond(request, 201, {
    Location: `/v2/${repository}/manifests/${digest}`,
    "Docker-Content-Digest": digest,
    ...(tags.length > 0 ? { "OCI-Tag": tags.join(", ") } : {}),
    ...subjectHeader(value, options.referrers !== false),
  });
};

const remove = (
  { request, state, options }: Call,
  { repository, name }: Route & { kind: "manifest" },
): HttpResponse => {
  if (options.deletes === false) return refuse(request, 405, "UNSUPPORTED", "deleting is disabled");
  const held = state.repositories.get(repository);
  const gone = isDigest(name) ? held?.manifests.delete(name) : held && removeTag(held, name);
  if (held === undefined || !gone)
    return refuse(request, 404, "MANIFEST_UNKNOWN", `${repository} has no manifest ${name}`);
  if (isDigest(name)) for (const [tag, digest] of held.tags) if (digest === name) removeTag(held, tag);
  return respond(request, 202);
};

const bodyOf = async ({ request, options }: Call): Promise<Uint8Array | undefined> => {
  const limit = options.largestManifest ?? fourMiB;
  try {
    return (await collect(bodyChunks(request) ?? none(), limit, "the manifest")).slice();
  } catch (error) {
    if (isDrayError(error, "LIMIT_EXCEEDED")) return undefined;
    throw error;
  }
};

async function* none(): AsyncGenerator<Uint8Array> {}

const jsonObject = (bytes: Uint8Array): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** The first child that the repository lacks. Kind does not matter: an index may list blobs, as BuildKit's caches do. */
const missingChild = (held: RepositoryState, value: Record<string, unknown>): Digest | undefined => {
  const children = [value["config"], ...list(value["layers"]), ...list(value["manifests"])];
  const schema1 = list(value["fsLayers"]).map((layer) => (isObject(layer) ? { digest: layer["blobSum"] } : layer));
  for (const child of [...children, ...schema1]) {
    if (!isObject(child) || !isDigest(child["digest"])) continue;
    const { mediaType = "", digest } = child as Partial<Descriptor> & { digest: Digest };
    if (!isForeignLayerType(mediaType) && !held.blobs.has(digest) && !held.manifests.has(digest)) return digest;
  }
  return undefined;
};

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const subjectHeader = (value: Record<string, unknown>, referrers: boolean): HeaderRecord => {
  const subject = value["subject"];
  return referrers && isObject(subject) && isDigest(subject["digest"]) ? { "OCI-Subject": subject["digest"] } : {};
};

/** RFC 9110 §13.1: what lets two writers of a fallback tag notice each other. */
const preconditionFault = (
  { request, options }: Call,
  held: RepositoryState | undefined,
  name: string,
): string | undefined => {
  if (!options.conditional) return undefined;
  const current = manifestDigest(held, name);
  const listed = (value: string): boolean =>
    current !== undefined && (value.trim() === "*" || value.split(",").some((tag) => tag.trim() === `"${current}"`));
  const [match, noneMatch] = [header(request.headers, "If-Match"), header(request.headers, "If-None-Match")];
  if (match !== undefined && !listed(match)) return `${name} is not what If-Match says`;
  if (noneMatch !== undefined && listed(noneMatch)) return `${name} is what If-None-Match says`;
  return undefined;
};
