import {
  type Handler,
  type HeaderPairs,
  type HttpRequest,
  type HttpResponse,
  header,
  type Middleware,
} from "dray/http";
import { counting, mapRequestBody } from "../body.ts";
import { refuse, splitTarget } from "../respond.ts";
import type { MemoryRegistryOptions } from "./options.ts";

/**
 * Makes the registry behind it one of the many that lack something or do it their own way: each option changes what goes in
 * or what comes out.
 */
export const quirks = (options: MemoryRegistryOptions): Middleware => {
  const all: readonly (Middleware | undefined)[] = [
    options.referrers === false ? withoutReferrers : undefined,
    options.largestPage === undefined ? undefined : refusesPagesOver(options.largestPage),
    options.headDigest === false ? withoutHeadDigest : undefined,
    options.ranges === false ? deafTo(["range"], "accept-ranges") : undefined,
    options.conditional === true ? undefined : deafTo(["if-match", "if-none-match"], "etag"),
    options.mounts === undefined || options.mounts === true ? undefined : withoutMounts(options.mounts),
    options.singlePost === false ? withoutSinglePost : undefined,
    options.chunks === false ? withoutChunks : undefined,
    options.chunkMinLength === undefined ? undefined : withLeastChunk(options.chunkMinLength),
    options.keepsCutUploads === false ? withoutCutUploads : undefined,
    withState,
  ];
  return (next) => all.reduceRight<Handler>((handler, quirk) => quirk?.(handler) ?? handler, next);
};

const isSession = (path: string): boolean => /\/blobs\/uploads\/[^/]+$/.test(path);
const isUploads = (path: string): boolean => /\/blobs\/uploads\/?$/.test(path);

const without = (headers: HeaderPairs, ...names: string[]): HeaderPairs =>
  headers.filter(([name]) => !names.includes(name.toLowerCase()));

const dropHeaders = (response: HttpResponse, ...names: string[]): HttpResponse => ({
  ...response,
  headers: without(response.headers, ...names),
});

/** Without some parameters of the query. */
const retarget = (request: HttpRequest, ...dropped: string[]): HttpRequest => {
  const { path, query } = splitTarget(request.target);
  for (const name of dropped) query.delete(name);
  const search = query.toString();
  return { ...request, target: search === "" ? path : `${path}?${search}` };
};

const withoutReferrers: Middleware = (next) => async (request) =>
  /\/referrers\/[^/]+$/.test(splitTarget(request.target).path)
    ? refuse(request, 404, "UNSUPPORTED", "there is no referrers API")
    : dropHeaders(await next(request), "oci-subject");

const refusesPagesOver =
  (most: number): Middleware =>
  (next) =>
  async (request) =>
    Number(splitTarget(request.target).query.get("n") ?? 0) > most
      ? refuse(request, 405, "UNSUPPORTED", `n may be ${most} at most`)
      : next(request);

const withoutHeadDigest: Middleware = (next) => async (request) =>
  request.method === "HEAD" && request.target.includes("/manifests/")
    ? dropHeaders(await next(request), "docker-content-digest")
    : next(request);

/** Neither hears these headers nor promises to. */
const deafTo =
  (asked: readonly string[], promised: string): Middleware =>
  (next) =>
  async (request) =>
    dropHeaders(await next({ ...request, headers: without(request.headers, ...asked) }), promised);

const withoutMounts =
  (mounts: "named" | false): Middleware =>
  (next) =>
  async (request) => {
    const { query } = splitTarget(request.target);
    const refused = query.has("mount") && (mounts === false || !query.has("from"));
    return next(refused ? retarget(request, "mount", "from") : request);
  };

/** The body is read and thrown away: an upload begins instead. */
const withoutSinglePost: Middleware = (next) => async (request) => {
  const { path, query } = splitTarget(request.target);
  if (request.method !== "POST" || !isUploads(path) || !query.has("digest")) return next(request);
  return next({ ...retarget(request, "digest"), body: undefined });
};

const withoutChunks: Middleware = (next) => async (request) =>
  request.method === "PATCH"
    ? refuse(request, 405, "UNSUPPORTED", "uploads in chunks are not supported")
    : next(request);

/** Every chunk but the last has this many bytes at least: one that comes after a shorter one is refused. */
const withLeastChunk =
  (least: number): Middleware =>
  (next) => {
    const short = new Set<string>();
    return async (request) => {
      const { path } = splitTarget(request.target);
      if (isSession(path) && short.has(path) && request.body !== undefined)
        return refuse(request, 400, "BLOB_UPLOAD_INVALID", `the chunk before had fewer than ${least} bytes`);
      let taken = 0;
      const counted = mapRequestBody(request, (chunks) => counting(chunks, (bytes) => (taken += bytes)));
      const response = await next(counted);
      if (request.method === "PATCH" && taken < least) short.add(path);
      return response.status === 202
        ? { ...response, headers: [...response.headers, ["OCI-Chunk-Min-Length", String(least)]] }
        : response;
    };
  };

/** An upload whose request was cut is gone, as with docker-registry. */
const withoutCutUploads: Middleware = (next) => async (request) => {
  let cut = false;
  const watched = mapRequestBody(request, (chunks) => watching(chunks, () => (cut = true)));
  try {
    return await next(watched);
  } finally {
    if (cut && isSession(splitTarget(request.target).path)) {
      await next({ ...request, body: undefined, method: "DELETE", signal: undefined });
    }
  }
};

/** `Location` of a session carries a query that a client has to keep. */
const withState: Middleware = (next) => {
  const states = new Map<string, string>();
  return async (request) => {
    const { path, query } = splitTarget(request.target);
    if (states.has(path) && query.get("_state") !== states.get(path))
      return refuse(request, 404, "BLOB_UPLOAD_INVALID", "the query of the upload's Location was not kept");
    const response = await next(request);
    const location = header(response.headers, "Location");
    const session = location?.replace(/^https?:\/\/[^/]+/, "");
    if (location === undefined || session === undefined || !isSession(session)) return response;
    const state = states.get(session) ?? stateOf(session);
    states.set(session, state);
    return {
      ...response,
      headers: [...without(response.headers, "location"), ["Location", `${location}?_state=${state}`]],
    };
  };
};

/** Opaque to clients. */
const stateOf = (path: string): string => path.replace(/^.*\//, "").replaceAll("-", "").slice(0, 16);

async function* watching(chunks: AsyncIterable<Uint8Array>, onCut: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    onCut();
    throw error;
  }
}
