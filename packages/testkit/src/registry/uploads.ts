import { type HttpResponse, header } from "dray/http";
import { type Digest, type DigestAlgorithm, isDigest } from "dray/oci";
import { bodyChunks } from "../body.ts";
import { type HeaderRecord, refuse, respond } from "../respond.ts";
import type { Call } from "./call.ts";
import type { Route } from "./route.ts";
import { UploadSession } from "./session.ts";
import { repositoryOf, type StoredBlob, visibleBlob } from "./state.ts";

/** `POST …/blobs/uploads/`: mounts, takes a blob in one request, or opens a session. */
export const beginUpload = async (call: Call, repository: string): Promise<HttpResponse> => {
  const { request, query, options } = call;
  const mount = query.get("mount");
  if (mount !== null && isDigest(mount)) {
    const found = mountable(call, mount, query.get("from"));
    if (found) return created(call, repository, mount, found);
  }
  const algorithm = query.get("digest-algorithm") ?? "sha256";
  if (algorithm !== "sha256" && algorithm !== "sha512")
    return refuse(request, 400, "DIGEST_INVALID", `algorithm ${algorithm} is not supported`);
  const digest = mount === null && options.singlePost !== false ? query.get("digest") : null;
  if (digest !== null && !isDigest(digest)) return refuse(request, 400, "DIGEST_INVALID", "the digest is invalid");
  const session = openSession(call, repository, digest?.startsWith("sha512") ? "sha512" : algorithm);
  if (digest === null) return accepted(call, session);
  return (await append(call, session)) ?? commit(call, session, digest);
};

const openSession = (
  { state, options, newId }: Call,
  repository: string,
  algorithm: DigestAlgorithm,
): UploadSession => {
  repositoryOf(state, repository);
  const session = new UploadSession(newId(), repository, { sink: options.sink ?? false, algorithm });
  state.uploads.set(session.id, session);
  return session;
};

const mountable = ({ state, options }: Call, digest: Digest, from: string | null): StoredBlob | undefined => {
  if (options.mounts === false || (options.mounts === "named" && from === null)) return undefined;
  return from === null ? state.blobs.get(digest) : visibleBlob(state, from, digest);
};

/** `GET`, `PATCH`, `PUT` and `DELETE` of a session. */
export const uploadSession = async (call: Call, route: Route & { kind: "upload" }): Promise<HttpResponse> => {
  const { request, query, state, options } = call;
  const session = state.uploads.get(route.session);
  if (session === undefined || session.repository !== route.repository)
    return refuse(request, 404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload");
  if (query.get("_state") !== session.state)
    return refuse(request, 404, "BLOB_UPLOAD_INVALID", "the query of the upload's Location was not kept");
  switch (request.method) {
    case "GET":
      return respond(request, 204, progress(call, session));
    case "DELETE":
      state.uploads.delete(session.id);
      return respond(request, 204);
    case "PATCH":
      if (options.chunks === false) return refuse(request, 405, "UNSUPPORTED", "uploads in chunks are not supported");
      return (await append(call, session)) ?? accepted(call, session);
    case "PUT": {
      const digest = query.get("digest");
      if (!isDigest(digest)) return refuse(request, 400, "DIGEST_INVALID", "the digest is missing or invalid");
      return (await append(call, session)) ?? commit(call, session, digest);
    }
    default:
      return refuse(request, 405, "UNSUPPORTED", `${request.method} is not supported here`);
  }
};

/** Takes the body of a request into the session; an answer where that is refused. */
const append = async (call: Call, session: UploadSession): Promise<HttpResponse | undefined> => {
  const { request, options, state } = call;
  const range = /^(?:bytes )?([0-9]+)-([0-9]+)(?:\/.*)?$/.exec(header(request.headers, "Content-Range") ?? "");
  if (range !== null && Number(range[1]) !== session.size)
    return refuse(
      request,
      416,
      "BLOB_UPLOAD_INVALID",
      `the chunk begins at ${range[1]}, the upload stands at ${session.size}`,
      progress(call, session),
    );
  const least = options.chunkMinLength ?? 0;
  const body = bodyChunks(request);
  const before = session.size;
  if (session.lastChunk !== undefined && session.lastChunk < least && body !== undefined)
    return refuse(request, 400, "BLOB_UPLOAD_INVALID", `the chunk before had fewer than ${least} bytes`);
  try {
    for await (const chunk of body ?? []) session.append(chunk);
  } catch (error) {
    if (options.keepsCutUploads === false) state.uploads.delete(session.id);
    throw error;
  }
  const taken = session.size - before;
  if (request.method === "PATCH") session.lastChunk = taken;
  const said = range === null ? undefined : Number(range[2]) - Number(range[1]) + 1;
  return said !== undefined && said !== taken
    ? refuse(request, 400, "SIZE_INVALID", `Content-Range says ${said} bytes, ${taken} came`)
    : undefined;
};

const commit = (call: Call, session: UploadSession, digest: Digest): HttpResponse => {
  call.state.uploads.delete(session.id);
  const blob = session.commit(digest);
  return blob === undefined
    ? refuse(call.request, 400, "DIGEST_INVALID", `the bytes do not have the digest ${digest}`)
    : created(call, session.repository, digest, blob);
};

const created = ({ request, state }: Call, repository: string, digest: Digest, blob: StoredBlob): HttpResponse => {
  // What a registry in sink mode dropped must not replace bytes that it has.
  if (state.blobs.get(digest)?.content === undefined) state.blobs.set(digest, blob);
  repositoryOf(state, repository).blobs.add(digest);
  return respond(request, 201, {
    Location: `/v2/${repository}/blobs/${digest}`,
    "Docker-Content-Digest": digest,
  });
};

const accepted = (call: Call, session: UploadSession): HttpResponse =>
  respond(call.request, 202, {
    ...progress(call, session),
    ...(call.options.chunkMinLength === undefined
      ? {}
      : { "OCI-Chunk-Min-Length": String(call.options.chunkMinLength) }),
  });

const progress = ({ request, options }: Call, session: UploadSession): HeaderRecord => ({
  Location: `${options.absoluteLocations ? request.origin : ""}/v2/${session.repository}/blobs/uploads/${session.id}?_state=${session.state}`,
  // The specification has no way to say "nothing yet"; every registry says 0-0.
  Range: `0-${Math.max(0, session.size - 1)}`,
  "Docker-Upload-UUID": session.id,
});
