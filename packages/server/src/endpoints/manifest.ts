import { factsOf } from "@dray/service/observe";
import { answerOf, bare, emptyBody, fileBody, isReceived } from "@dray/service/response";
import { DrayError } from "dray/errors";
import { type HttpRequest, type HttpResponse, headerValues } from "dray/http";
import {
  algorithmOf,
  type Digest,
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
  isSchema1Type,
  isTag,
} from "dray/oci";
import { missingOf } from "../blobs/index.ts";
import { type Inspection, inspect, inspectManifest } from "../distribution-tree/index.ts";
import type { ServedManifest } from "../read-cache/index.ts";
import { badDigest, RegistryError } from "../registry-error.ts";
import type { Reservation } from "../room/index.ts";
import { type Call, notModified, preconditionHolds } from "./call.ts";
import { withLargeManifest } from "./large-manifest.ts";

/** Tags that one PUT may carry; the specification wants ten at least. */
const mostTags = 100;

/** Bytes of a manifest that comes and is read in memory, as nearly all do. */
const small = 64 * 1024;

/** The path ends in a tag or a digest. @throws RegistryError MANIFEST_INVALID, DIGEST_INVALID */
const checkName = ({ name }: Call): void => {
  if (isTag(name) || isDigest(name)) return;
  throw name.includes(":")
    ? badDigest(name)
    : new RegistryError(400, "MANIFEST_INVALID", "the name is neither a tag nor a digest");
};

/** `GET` of a manifest, by tag or digest. */
export const getManifest = (call: Call): Promise<HttpResponse> | HttpResponse => {
  checkName(call);
  const found = call.context.manifests.find(call.repository, call.name);
  return found instanceof Promise ? found.then((later) => answer(call, later)) : answer(call, found);
};

/** A client that hears 200 leaves the manifest out of its push: the promise is recorded while nobody can take it away. */
export const headManifest = async (call: Call): Promise<HttpResponse> => {
  checkName(call);
  const { repository, name } = call;
  const { manifests, locks } = call.context;
  const found = await manifests.find(repository, name);
  if (found === undefined) return answer(call, found);
  return locks.hold({ shared: [found.digest] }, async () => {
    if (!(await manifests.has(repository, found)) || (await hasLost(call, found))) return answer(call, undefined);
    call.promise(found.digest);
    return answer(call, found);
  });
};

/**
 * Whether data of an image is known to be damaged or missing. Clients that push leave out all of an image whose manifest is there, so to
 * them it is not, until they have brought the data; whoever pulls by GET has what is sound. An index stays: most of what it names may be whole.
 */
const hasLost = ({ context, repository }: Call, { digest, mediaType }: ServedManifest): Promise<boolean> =>
  context.blobs.lacksAny(repository, async () => {
    if (!isManifestType(mediaType)) return [];
    await context.reconciler.reconcile(repository);
    return context.metadata.manifest(repository, digest)?.references ?? [];
  });

const answer = (call: Call, found: ServedManifest | undefined): HttpResponse | Promise<HttpResponse> => {
  const { request, context, repository, name } = call;
  if (found === undefined) return unknown(context, repository, name);
  if (notModified(request, found.digest))
    return bare(request, 304, { ETag: `"${found.digest}"`, "Docker-Content-Digest": found.digest });
  if (request.method === "HEAD") return answerOf(request, 200, found.headers, emptyBody);
  if (found.body !== undefined) return answerOf(request, 200, found.headers, found.body);
  return fromFile(call, found);
};

/** A large manifest goes from its file, as blobs do: clients that do not read it hold no memory. */
const fromFile = async (call: Call, found: ServedManifest): Promise<HttpResponse> => {
  const { request, context, repository, name } = call;
  const file = await context.manifests.open(repository, found);
  if (file === undefined) return unknown(context, repository, name);
  const body = fileBody(file, { start: 0, end: file.size, signal: request.signal }, context.downloads);
  return answerOf(request, 200, found.headers, body);
};

const unknown = async ({ tree }: Call["context"], repository: string, name: string): Promise<never> => {
  throw (await tree.isRepository(repository))
    ? new RegistryError(404, "MANIFEST_UNKNOWN", `${repository} has no manifest ${name}`)
    : new RegistryError(404, "NAME_UNKNOWN", `there is no repository ${repository}`);
};

/** `PUT` of a manifest. */
export const putManifest = async (call: Call): Promise<HttpResponse> => {
  checkName(call);
  const { request, name } = call;
  call.refuseWrites();
  const tags = isDigest(name) ? [...new Set(call.query.getAll("tag"))] : [name];
  if (tags.length > mostTags) throw new RegistryError(414, "UNSUPPORTED", `more than ${mostTags} tags in one request`);
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw new RegistryError(400, "MANIFEST_INVALID", "a tag parameter is no tag");
  const pushedType = contentType(request);
  return call.context.room.hold(call.repository, { bytes: call.announced, unknown: true }, (room) =>
    withBytes(call, (bytes) => storeManifest(call, { bytes, pushedType, tags, room })),
  );
};

/** Works on the bytes of a pushed manifest. A small one that comes from a socket is read at once, where there is memory for it. */
const withBytes = async <T>(call: Call, work: (bytes: Uint8Array) => Promise<T>): Promise<T> => {
  const { announced, context, request } = call;
  const { beginnings, settings } = context;
  const isSmall = announced > 0 && announced <= small && announced <= settings.largestManifest;
  if (!isSmall || !isReceived(request.body) || !beginnings.fits(announced)) return withLargeManifest(call, work);
  const held = beginnings.hold(announced);
  try {
    return await work(await call.bytes());
  } finally {
    held.free();
  }
};

interface Asked {
  readonly bytes: Uint8Array;
  readonly pushedType: string;
  readonly tags: readonly string[];
  readonly room: Reservation;
}

const storeManifest = async (call: Call, { bytes, pushedType, tags, room }: Asked): Promise<HttpResponse> => {
  const { request, context, repository, name } = call;
  const inspection = await checkManifest(bytes, pushedType);
  const { described } = inspection;
  const digest = digestOf(bytes, isDigest(name) ? algorithmOf(name) : "sha256");
  if (isDigest(name) && digest !== name)
    throw new RegistryError(400, "DIGEST_INVALID", `the manifest's digest is ${digest}`, { detail: { digest } });
  const store = async (): Promise<void> => {
    // All tags at once: whoever writes under a condition sees nobody in between.
    await context.tagLocks.hold({ exclusive: tags.map((tag) => `${repository}\0${tag}`) }, async () => {
      call.refuseWrites();
      // From the tree itself: another program may have written a moment ago.
      const before = new Map<string, Digest | undefined>();
      for (const tag of tags) before.set(tag, (await context.tree.tag(repository, tag))?.digest);
      const current = isDigest(name) ? await revisionOf(call, repository, name) : before.get(name);
      preconditionHolds(request, name, current);
      refuseMissing(repository, await missingOf(context, repository, inspection));
      const replaced: Record<string, Digest> = {};
      for (const [tag, was] of before) {
        keepForPullers(call, was);
        if (was !== undefined && was !== digest) replaced[tag] = was;
      }
      if (Object.keys(replaced).length > 0) factsOf(request).told = { replaced };
      await room.complete(digest, bytes.byteLength);
      await write(call, { repository, digest, bytes, inspection, tags });
      room.keep();
    });
  };
  await context.locks.hold({ shared: described.references, exclusive: [digest] }, store);
  return bare(request, 201, {
    Location: call.location(`/v2/${repository}/manifests/${digest}`),
    "Docker-Content-Digest": digest,
    ...(isDigest(name) && tags.length > 0 ? { "OCI-Tag": tags.join(", ") } : {}),
    ...(described.subject === undefined ? {} : { "OCI-Subject": described.subject }),
  });
};

/**
 * An image without its configuration or its layers is a push that went wrong, and an index needs the manifests that the operator wants there.
 * @throws RegistryError MANIFEST_BLOB_UNKNOWN, which names each
 */
const refuseMissing = (repository: string, missing: readonly Digest[]): void => {
  const [first, ...others] = missing.map((digest) => ({
    message: `${repository} has no ${digest}; push it first`,
    detail: { digest },
  }));
  if (first === undefined) return;
  const { message, detail } = first;
  throw new RegistryError(400, "MANIFEST_BLOB_UNKNOWN", message, { detail, others });
};

/** What a tag stood for until now may be in the middle of being pulled. */
const keepForPullers = (call: Call, before: Digest | undefined): void => {
  if (before !== undefined) call.context.leases.record(call.repository, before);
};

interface Pushed {
  readonly repository: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly inspection: Inspection;
  readonly tags: readonly string[];
}

/** Data, then the link, then the tags: whatever is cut off here leaves nothing that points to something missing. */
const write = async (call: Call, { repository, digest, bytes, inspection, tags }: Pushed): Promise<void> => {
  const { context } = call;
  const { tree, reconciler, metadata } = context;
  const { described, shows, namesType } = inspection;
  const at = context.now();
  const record = { ...described, digest, size: bytes.byteLength, pushedAt: at };
  const inTree = async (): Promise<void> => {
    const isThere = (await tree.blobSize(digest)) === bytes.byteLength && (await isWhole(tree, digest, bytes));
    if (isThere) await tree.touchBlob(digest);
    else await tree.writeBlob(digest, bytes);
    // Of one that names its type there was never anything to note.
    if (shows !== described.mediaType) await tree.notes.keepPushedType(repository, digest, described.mediaType);
    else if (!namesType) await tree.notes.dropPushedType(repository, digest);
    await tree.linkRevision(repository, digest);
    for (const tag of tags) await tree.setTag(repository, tag, digest);
    await metadata.prepareManifest(repository, record);
  };
  const inMetadata = (): void => {
    metadata.putManifest(repository, record);
    for (const name of tags) metadata.putTag(repository, { name, digest, at });
  };
  await reconciler.repositories.write(repository, inTree, inMetadata);
  context.leases.record(repository, digest);
};

/** What is damaged is put right by pushing it again. */
const isWhole = async (tree: Call["context"]["tree"], digest: Digest, bytes: Uint8Array): Promise<boolean> => {
  const stored = await tree.readBlob(digest);
  return stored !== undefined && Buffer.compare(stored, bytes) === 0;
};

const revisionOf = async ({ context }: Call, repository: string, digest: Digest): Promise<Digest | undefined> =>
  (await context.tree.revision(repository, digest)) === undefined ? undefined : digest;

/** Without its parameters, in small letters. Two that differ would let each server on the way see another one. */
const contentType = ({ headers }: HttpRequest): string => {
  const types = headerValues(headers, "Content-Type").map((value) => value.split(";")[0]?.trim().toLowerCase() ?? "");
  if (new Set(types).size > 1) throw new RegistryError(400, "MANIFEST_INVALID", "the request has two Content-Types");
  return types[0] ?? "";
};

/** `DELETE` of a tag, whose manifest stays, or of a manifest with its tags. */
export const deleteManifest = async (call: Call): Promise<HttpResponse> => {
  checkName(call);
  const { request, context, repository, name } = call;
  call.refuseWrites();
  const check = (current: Digest | undefined): void => {
    preconditionHolds(request, name, current);
    if (isDigest(name)) return;
    keepForPullers(call, current);
    if (current !== undefined) factsOf(request).told = { digest: current };
  };
  const deleted = isDigest(name)
    ? await context.deletions.manifest(repository, name, check)
    : await context.deletions.tag(repository, name, check);
  if (typeof deleted === "object" && deleted.tags.length > 0) factsOf(request).told = { tags: deleted.tags };
  if (deleted === undefined || deleted === false)
    throw new RegistryError(404, "MANIFEST_UNKNOWN", `${repository} has no manifest ${name}`);
  return bare(request, 202);
};

/**
 * What a manifest that may be pushed says, parsed once for all that is done with it: whether bytes are a manifest that may be pushed as `pushedType`. One document must not be readable as two things, so the type in
 * it agrees with the one of the request (CVE-2021-41190).
 * @throws RegistryError MANIFEST_INVALID
 */
const checkManifest = async (bytes: Uint8Array, pushedType: string): Promise<Inspection> => {
  const said = pushedType === "" || pushedType === "application/json" ? undefined : pushedType;
  const inspection = bytes.byteLength <= small ? inspect(bytes, said) : await inspectManifest(bytes, said);
  const { described, ambiguity, fault } = inspection;
  const type = described.mediaType;
  if (isSchema1Type(type))
    throw new RegistryError(400, "MANIFEST_INVALID", "manifests of schema 1 are served, and not taken any more");
  if (!isManifestType(type) && !isIndexType(type))
    throw new RegistryError(400, "MANIFEST_INVALID", `${printable(type)} is no media type of a manifest or index`);
  // Programs in Go, which most are, cannot read it.
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw new RegistryError(400, "MANIFEST_INVALID", "the manifest begins with a byte order mark");
  if (ambiguity !== undefined)
    throw new RegistryError(400, "MANIFEST_INVALID", `the manifest can be read in two ways: ${ambiguity}`);
  if (fault instanceof DrayError) throw new RegistryError(400, "MANIFEST_INVALID", fault.message);
  if (fault !== undefined) throw fault;
  return inspection;
};

const printable = (text: string): string => JSON.stringify(text.slice(0, 100));
