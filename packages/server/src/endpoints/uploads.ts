import { bare, isReceived } from "@dray/service/response";
import { isDrayError } from "dray/errors";
import { type HttpRequest, type HttpResponse, header, isContent } from "dray/http";
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
  if (wanted === null)
    return context.room.hold(repository, { bytes: call.announced }, async () =>
      accepted(
        call,
        await context.uploads.begin(repository, { owner: principal.name, algorithm: announced(query) }),
        0,
      ),
    );
  const upload = await context.uploads.begin(repository, { owner: principal.name, algorithm: algorithmOf(wanted) });
  try {
    return await receive(call, upload, wanted, (_, room) => commitUpload(call, upload, wanted, room));
  } catch (error) {
    // Nobody knows of this session, so nobody could go on with it.
    await upload.cancel().catch(() => {});
    throw error;
  }
};

/** `GET` and `HEAD` of a session: where it stands. */
export const uploadProgress = (call: Call): Promise<HttpResponse> =>
  inSession(call, async (upload) => bare(call.request, 204, progress(call, upload, await upload.offset())));

/** `PATCH` of a session. */
export const appendToUpload = async (call: Call): Promise<HttpResponse> => {
  call.refuseWrites();
  return inSession(call, (upload) =>
    receive(call, upload, undefined, async (offset) => accepted(call, upload, offset)),
  );
};

/** `PUT` of a session: the last of it, and the digest of the whole. */
export const endUpload = async (call: Call): Promise<HttpResponse> => {
  call.refuseWrites();
  return inSession(call, async (upload) => {
    const digest = call.query.get("digest");
    if (digest === null || !isDigest(digest)) throw badDigest(digest);
    return receive(call, upload, digest, (_, room) => commitUpload(call, upload, digest, room));
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

/**
 * Takes the request's body into the session, behind what came before, and goes on with how far that has come. Room for it is kept until
 * all of that is done. A client that is not where the session is learns where that is.
 * @param digest of the whole, where this is the last of it
 */
const receive = async (
  call: Call,
  upload: Upload,
  digest: Digest | undefined,
  work: (offset: number, room: Reservation) => Promise<HttpResponse>,
): Promise<HttpResponse> => {
  const range = contentRange(call.request);
  const { body } = call.request;
  const length = body === undefined ? 0 : isContent(body) ? body.size : body.length;
  if (range !== undefined && length !== undefined && range.length !== length)
    throw new RegistryError(400, "SIZE_INVALID", `Content-Range says ${range.length} bytes, Content-Length ${length}`);
  try {
    const before = range?.start ?? (await upload.offset());
    const said = range?.length ?? length;
    return await call.context.room.hold(call.repository, { bytes: said ?? 0, before, digest }, async (room) => {
      const isEmpty = body === undefined && range === undefined;
      const last = digest !== undefined;
      const after = isEmpty ? before : await append(call, upload, { last, before, at: range?.start, said, room });
      return work(after, room);
    });
  } catch (error) {
    if (!(error instanceof OutOfOrder)) throw error;
    const headers = progress(call, upload, error.offset);
    throw new RegistryError(416, "BLOB_UPLOAD_INVALID", error.message, { headers });
  }
};

interface Appending {
  readonly last: boolean;
  readonly before: number;
  /** Where the client says that it goes on. */
  readonly at: number | undefined;
  /** Bytes that the client says it brings. */
  readonly said: number | undefined;
  readonly room: Reservation;
}

const append = async (call: Call, upload: Upload, { last, before, at, said, room }: Appending): Promise<number> => {
  const { signal, body } = call.request;
  const wrongSize = (came: string, offset: number): RegistryError =>
    new RegistryError(400, "SIZE_INVALID", `${said} bytes were announced, ${came} came`, {
      headers: progress(call, upload, offset),
    });
  try {
    const releases = isReceived(body);
    const after = await upload.append(call.chunks(), { limit: said, meter: room, last, releases, at, signal });
    if (said !== undefined && after - before !== said) throw wrongSize(String(after - before), after);
    return after;
  } catch (error) {
    // Nobody knows which of its bytes the client means, so it stands where it stood.
    throw isDrayError(error, "LIMIT_EXCEEDED") ? wrongSize("more", await upload.offset()) : error;
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
const commitUpload = async (call: Call, upload: Upload, wanted: Digest, room: Reservation): Promise<HttpResponse> => {
  const { context, repository } = call;
  const { tree, locks } = context;
  const { digest, size } = await upload.digest(algorithmOf(wanted));
  if (digest !== wanted) {
    await upload.cancel();
    throw new RegistryError(400, "DIGEST_INVALID", `the bytes have the digest ${digest}`, { detail: { digest } });
  }
  /** What lies there already is replaced: these bytes were hashed just now, and nobody knows of those. */
  const take = async (store: () => Promise<void>): Promise<void> => {
    // Since the upload began it may have been said that nothing is written any more.
    call.refuseWrites();
    const stored = store();
    await allOf([stored, link(context, repository, wanted, room, stored)]);
    await context.blobs.replaced(repository, wanted, size);
  };
  await locks.hold({ exclusive: [wanted] }, async () => {
    await room.complete(wanted, size).catch(async (error: unknown) => {
      await upload.cancel();
      throw error;
    });
    await upload.finish(
      (path, options) => take(() => tree.adoptBlob(wanted, path, options)),
      (bytes) => take(() => tree.writeBlob(wanted, bytes)),
    );
  });
  return created(call, repository, wanted);
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
      const isThere = (await context.tree.layer(repository, digest)) !== undefined;
      await context.tree.touchBlob(digest);
      if (isThere) await link(context, repository, digest);
      else
        await context.room.hold(repository, { bytes: 0 }, async (room) => {
          await room.complete(digest, found.size);
          await link(context, repository, digest, room);
        });
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
  { tree, leases }: Call["context"],
  repository: string,
  digest: Digest,
  room?: Reservation,
  stored?: Promise<void>,
): Promise<void> => {
  await tree.linkLayer(repository, digest, stored);
  room?.keep();
  leases.record(repository, digest);
};
