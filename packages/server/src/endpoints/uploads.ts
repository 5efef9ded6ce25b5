import { bare } from "@dray/service/response";
import { isDrayError } from "dray/errors";
import { type HttpRequest, type HttpResponse, header, isContent } from "dray/http";
import { algorithmOf, type Digest, type DigestAlgorithm, isDigest, isRepository } from "dray/oci";
import { RegistryError } from "../registry-error.ts";
import { OutOfOrder, type Upload } from "../uploads/index.ts";
import { badDigest } from "./bad-digest.ts";
import { bodyChunks } from "./body-chunks.ts";
import type { Call } from "./call.ts";
import { commitUpload, mountBlob } from "./commit.ts";
import { refuseFullDisk, refuseWrites } from "./guard.ts";
import { locationOf } from "./location.ts";
import type { Route } from "./route.ts";

/** `POST …/blobs/uploads/`: mounts, takes a blob in one request, or opens a session. */
export const beginUpload = async (call: Call, repository: string): Promise<HttpResponse> => {
  const { query, context, principal } = call;
  refuseWrites(context);
  const mount = query.get("mount");
  if (mount !== null && isDigest(mount)) {
    const from = query.get("from");
    const mounted = (from === null || isRepository(from)) && (await mountBlob(call, repository, mount, from));
    if (mounted) return created(call, repository, mount);
  }
  await refuseFullDisk(context);
  const wanted = mount === null ? query.get("digest") : null;
  if (wanted !== null && !isDigest(wanted)) throw badDigest(wanted);
  const algorithm = wanted === null ? announced(query) : algorithmOf(wanted);
  const upload = await context.uploads.begin(repository, { owner: principal.name, algorithm });
  if (wanted === null) return accepted(call, upload, 0);
  try {
    await append(call, upload, { last: true });
    await commitUpload(call, upload, wanted);
  } catch (error) {
    // Nobody knows of this session, so nobody could go on with it.
    await upload.cancel().catch(() => {});
    throw error;
  }
  return created(call, repository, wanted);
};

/** `GET`, `PATCH`, `PUT` and `DELETE` of a session. */
export const uploadSession = async (call: Call, route: Route & { kind: "upload" }): Promise<HttpResponse> => {
  const { request, context, principal } = call;
  const { method } = request;
  if (method !== "GET" && method !== "HEAD") refuseWrites(context);
  const upload = await context.uploads.find(route.repository, route.session, principal.name);
  if (upload === undefined) throw unknownUpload();
  try {
    return await within(call, upload);
  } catch (error) {
    // Somebody else ended it just now.
    throw isDrayError(error, "NOT_FOUND") ? unknownUpload() : error;
  }
};

const unknownUpload = (): RegistryError =>
  new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload; begin a new one");

const within = async (call: Call, upload: Upload): Promise<HttpResponse> => {
  const { request, query, context } = call;
  switch (request.method) {
    case "GET":
    case "HEAD":
      return bare(request, 204, progress(call, upload, await upload.offset()));
    case "DELETE":
      await upload.cancel();
      return bare(request, 204);
    case "PATCH":
      await refuseFullDisk(context);
      return accepted(call, upload, await append(call, upload));
    default: {
      const digest = query.get("digest");
      if (digest === null || !isDigest(digest)) throw badDigest(digest);
      await refuseFullDisk(context);
      await append(call, upload, { last: true });
      await inOrder(call, upload, () => commitUpload(call, upload, digest));
      return created(call, upload.repository, digest);
    }
  }
};

const announced = (query: URLSearchParams): DigestAlgorithm => {
  const algorithm = query.get("digest-algorithm") ?? "sha256";
  if (algorithm !== "sha256" && algorithm !== "sha512")
    throw new RegistryError(
      400,
      "DIGEST_INVALID",
      `the algorithm ${JSON.stringify(algorithm)} is not supported; use sha256 or sha512`,
    );
  return algorithm;
};

/** Takes the request's body into the session. Tells how far that has come. */
const append = async (call: Call, upload: Upload, options: { last?: boolean } = {}): Promise<number> => {
  const { request } = call;
  const range = contentRange(request);
  const { body } = request;
  if (body === undefined && range === undefined) return upload.offset();
  const length = body === undefined ? 0 : isContent(body) ? body.size : body.length;
  if (range !== undefined && length !== undefined && range.length !== length)
    throw new RegistryError(400, "SIZE_INVALID", `Content-Range says ${range.length} bytes, Content-Length ${length}`);
  return inOrder(call, upload, async () => {
    const before = range?.start ?? (await upload.offset());
    const after = await upload.append(bodyChunks(request, { releases: true }), {
      ...options,
      ...(range === undefined ? {} : { at: range.start }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const said = range?.length ?? length;
    if (said !== undefined && after - before !== said)
      throw new RegistryError(400, "SIZE_INVALID", `${said} bytes were announced, ${after - before} came`, {
        headers: progress(call, upload, after),
      });
    return after;
  });
};

/** A client that is not where the session is learns where that is. */
const inOrder = async <T>(call: Call, upload: Upload, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OutOfOrder)) throw error;
    throw new RegistryError(416, "BLOB_UPLOAD_INVALID", error.message, {
      headers: progress(call, upload, error.offset),
    });
  }
};

/** `<start>-<end>`, both inclusive; `bytes` before and `/total` behind are forgiven. */
const contentRange = ({ headers }: HttpRequest): { start: number; length: number } | undefined => {
  const value = header(headers, "Content-Range");
  if (value === undefined) return undefined;
  const [, from, to] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(value.trim()) ?? [];
  const [start, end] = [Number(from), Number(to)];
  // An empty chunk has no range of its own: clients write `5-4`.
  if (from === undefined || to === undefined || end < start - 1)
    throw new RegistryError(
      400,
      "BLOB_UPLOAD_INVALID",
      `Content-Range ${JSON.stringify(value.slice(0, 100))} is no range of bytes`,
    );
  return { start, length: end - start + 1 };
};

const created = (call: Call, repository: string, digest: Digest): HttpResponse =>
  bare(call.request, 201, {
    Location: locationOf(call, `/v2/${repository}/blobs/${digest}`),
    "Docker-Content-Digest": digest,
  });

const accepted = (call: Call, upload: Upload, offset: number): HttpResponse =>
  bare(call.request, 202, progress(call, upload, offset));

const progress = (call: Call, upload: Upload, offset: number): Record<string, string> => ({
  Location: locationOf(call, `/v2/${upload.repository}/blobs/uploads/${upload.id}`),
  // The specification has no way to say "nothing yet"; every registry says 0-0.
  Range: `0-${Math.max(0, offset - 1)}`,
  "Docker-Upload-UUID": upload.id,
});
