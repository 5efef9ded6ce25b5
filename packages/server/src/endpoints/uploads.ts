import { bare, isReceived } from "@dray/service/response";
import { isDrayError } from "dray/errors";
import { type HttpRequest, type HttpResponse, header, isContent } from "dray/http";
import { defined } from "dray/internal/defined";
import { algorithmOf, type Digest, type DigestAlgorithm, isDigest, isRepository } from "dray/oci";
import { badDigest, RegistryError } from "../registry-error.ts";
import type { Reservation } from "../room/index.ts";
import { allOf } from "../storage/index.ts";
import { OutOfOrder, type Upload } from "../uploads/index.ts";
import type { Call } from "./call.ts";

/** `POST …/blobs/uploads/`: mounts, takes a blob in one request, or opens a session. */
export const beginUpload = async (call: Call): Promise<HttpResponse> => {
  const { query, context, principal, repository } = call;
  call.refuseWrites();
  const mount = query.get("mount");
  if (mount !== null && isDigest(mount)) {
    const from = query.get("from");
    const mounted = (from === null || isRepository(from)) && (await mountBlob(call, mount, from));
    if (mounted) return created(call, repository, mount);
  }
  const wanted = mount === null ? query.get("digest") : null;
  if (wanted !== null && !isDigest(wanted)) throw badDigest(wanted);
  const known = wanted === null ? undefined : await knownBytes(call, wanted);
  await context.room.check(repository, { bytes: call.announced, known });
  const algorithm = wanted === null ? announced(query) : algorithmOf(wanted);
  const upload = await context.uploads.begin(repository, { owner: principal.name, algorithm });
  if (wanted === null) return accepted(call, upload, 0);
  try {
    await append(call, upload, { last: true, known });
    await commitUpload(call, upload, wanted);
  } catch (error) {
    // Nobody knows of this session, so nobody could go on with it.
    await upload.cancel().catch(() => {});
    throw error;
  }
  return created(call, repository, wanted);
};

/** `GET` and `HEAD` of a session: where it stands. */
export const uploadProgress = (call: Call): Promise<HttpResponse> =>
  inSession(call, async (upload) => bare(call.request, 204, progress(call, upload, await upload.offset())));

/** `PATCH` of a session. */
export const appendToUpload = async (call: Call): Promise<HttpResponse> => {
  call.refuseWrites();
  return inSession(call, async (upload) => {
    await call.context.room.check(call.repository, { bytes: call.announced });
    return accepted(call, upload, await append(call, upload));
  });
};

/** `PUT` of a session: the last of it, and the digest of the whole. */
export const endUpload = async (call: Call): Promise<HttpResponse> => {
  call.refuseWrites();
  return inSession(call, async (upload) => {
    const digest = call.query.get("digest");
    if (digest === null || !isDigest(digest)) throw badDigest(digest);
    const known = await knownBytes(call, digest);
    await call.context.room.check(call.repository, { bytes: call.announced, known });
    await append(call, upload, { last: true, known });
    await inOrder(call, upload, () => commitUpload(call, upload, digest));
    return created(call, upload.repository, digest);
  });
};

/** `DELETE` of a session. */
export const cancelUpload = async (call: Call): Promise<HttpResponse> => {
  call.refuseWrites();
  return inSession(call, async (upload) => {
    await upload.cancel();
    return bare(call.request, 204);
  });
};

const inSession = async (call: Call, work: (upload: Upload) => Promise<HttpResponse>): Promise<HttpResponse> => {
  const upload = await call.context.uploads.find(call.repository, call.name, call.principal.name);
  if (upload === undefined) throw unknownUpload();
  try {
    return await work(upload);
  } catch (error) {
    if (error instanceof RegistryError && (error.status === 503 || error.status === 403))
      call.context.uploads.refused(upload);
    // Somebody else ended it just now.
    throw isDrayError(error, "NOT_FOUND") ? unknownUpload() : error;
  }
};

const unknownUpload = (): RegistryError =>
  new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload; begin a new one");

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
const append = async (
  call: Call,
  upload: Upload,
  { known, ...options }: { last?: boolean; known?: number | undefined } = {},
): Promise<number> => {
  const { request } = call;
  const range = contentRange(request);
  const { body } = request;
  if (body === undefined && range === undefined) return upload.offset();
  const length = body === undefined ? 0 : isContent(body) ? body.size : body.length;
  if (range !== undefined && length !== undefined && range.length !== length)
    throw new RegistryError(400, "SIZE_INVALID", `Content-Range says ${range.length} bytes, Content-Length ${length}`);
  return inOrder(call, upload, async () => {
    const before = range?.start ?? (await upload.offset());
    const said = range?.length ?? length;
    const wrongSize = (came: string, offset: number): RegistryError =>
      new RegistryError(400, "SIZE_INVALID", `${said} bytes were announced, ${came} came`, {
        headers: progress(call, upload, offset),
      });
    const room = await call.context.room.reserve(call.repository, { bytes: said ?? 0, before, known });
    try {
      const after = await upload.append(counted(call.chunks(), room), {
        ...defined({ limit: said }),
        ...options,
        releases: isReceived(body),
        at: range?.start,
        signal: request.signal,
      });
      if (said !== undefined && after - before !== said) throw wrongSize(String(after - before), after);
      return after;
    } catch (error) {
      // Nobody knows which of its bytes the client means, so it stands where it stood.
      throw isDrayError(error, "LIMIT_EXCEEDED") ? wrongSize("more", await upload.offset()) : error;
    } finally {
      room.release();
    }
  });
};

/** Tells of bytes as they come. */
const counted = (chunks: AsyncIterable<Uint8Array>, room: Reservation): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => {
    const iterator = chunks[Symbol.asyncIterator]();
    return {
      next: async () => {
        const next = await iterator.next();
        const looking = next.done === true ? undefined : room.came(next.value.byteLength);
        if (looking !== undefined) await looking;
        return next;
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    };
  },
});

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
    Location: call.location(`/v2/${repository}/blobs/${digest}`),
    "Docker-Content-Digest": digest,
  });

const accepted = (call: Call, upload: Upload, offset: number): HttpResponse =>
  bare(call.request, 202, progress(call, upload, offset));

const progress = (call: Call, upload: Upload, offset: number): Record<string, string> => ({
  Location: call.location(`/v2/${upload.repository}/blobs/uploads/${upload.id}`),
  // The specification has no way to say "nothing yet"; every registry says 0-0.
  Range: `0-${Math.max(0, offset - 1)}`,
  "Docker-Upload-UUID": upload.id,
});

/**
 * Ends an upload as a blob of its repository. Whether the data is there already is decided while nobody can take it away.
 * @throws RegistryError DIGEST_INVALID; the upload is gone then
 */
const commitUpload = async (call: Call, upload: Upload, wanted: Digest): Promise<void> => {
  const { context } = call;
  const { tree, locks, room } = context;
  const { digest, size } = await upload.digest(algorithmOf(wanted));
  if (digest !== wanted) {
    await upload.cancel();
    throw new RegistryError(400, "DIGEST_INVALID", `the bytes have the digest ${digest}`, { detail: { digest } });
  }
  const { repository } = upload;
  // What came without a length, or while others moved on.
  const known = await knownBytes(call, wanted);
  const reserved = await room.reserve(repository, { bytes: size, known, whole: true }).catch(async (error: unknown) => {
    await upload.cancel();
    throw error;
  });
  /** What lies there already is replaced: these bytes were hashed just now, and nobody knows of those. */
  const take = async (store: () => Promise<void>): Promise<void> => {
    // Since the upload began it may have been said that nothing is written any more.
    call.refuseWrites();
    const stored = store();
    await allOf([stored, link(context, repository, wanted, size, stored)]);
    await context.blobs.replaced(wanted);
  };
  const finish = (): Promise<void> =>
    upload.finish(
      (path, options) => take(() => tree.adoptBlob(wanted, path, options)),
      (bytes) => take(() => tree.writeBlob(wanted, bytes)),
    );
  await locks.hold({ exclusive: [wanted] }, finish).finally(() => reserved.release());
};

/** Bytes of content that the repository has already, where they are counted: brought again they are no more. */
const knownBytes = async (
  { context: { room, tree }, repository }: Call,
  digest: Digest,
): Promise<number | undefined> => {
  const target = room.counts(repository) ? await tree.layer(repository, digest) : undefined;
  return target === undefined ? undefined : tree.blobSize(target);
};

/** Makes a blob that another repository has visible in this one. `from` null: wherever the principal may read it. */
const mountBlob = async (call: Call, digest: Digest, from: string | null): Promise<boolean> => {
  const { context, principal, repository } = call;
  const sources = from === null ? holders(call, digest) : [from];
  return context.locks.hold({ exclusive: [digest] }, async () => {
    call.refuseWrites();
    for await (const source of sources) {
      if (!principal.may(source, "pull")) continue;
      const found = await context.blobs.find(source, digest);
      // An alias is not handed on: its name says nothing about the bytes that it stands for.
      if (found?.target !== digest) continue;
      const size = (await context.tree.blobSize(digest)) ?? 0;
      const isNew = (await context.tree.layer(repository, digest)) === undefined;
      const reserved = isNew ? await context.room.reserve(repository, { bytes: size, whole: true }) : undefined;
      try {
        await context.tree.touchBlob(digest);
        await link(context, repository, digest, size);
      } finally {
        reserved?.release();
      }
      return true;
    }
    return false;
  });
};

/** Repositories that are looked into where nobody said which one: to find a blob saves an upload, to search for it costs. */
const mostLooks = 200;

/** Where a blob may be found: in this repository, where it was promised lately, where a manifest needs it, and elsewhere. */
async function* holders({ context, repository }: Call, digest: Digest): AsyncGenerator<string> {
  if ((await context.tree.blobSize(digest)) === undefined) return;
  const likely = new Set([repository, ...context.leases.repositories(digest), ...context.metadata.holders(digest)]);
  yield* likely;
  let looks = 0;
  for await (const name of context.tree.repositories()) {
    if (++looks > mostLooks) return;
    if (!likely.has(name)) yield name;
  }
}

/** @param stored the data; the link comes after it, and is prepared meanwhile */
const link = async (
  { tree, leases, room }: Call["context"],
  repository: string,
  digest: Digest,
  size: number,
  stored?: Promise<void>,
): Promise<void> => {
  const isNew = room.counts(repository) && (await tree.layer(repository, digest)) === undefined;
  await tree.linkLayer(repository, digest, stored);
  if (isNew) room.added(repository, size);
  leases.record(repository, digest);
};
