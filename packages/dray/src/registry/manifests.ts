import { bytesContent, type Cancel, collect, type WriteOptions } from "../content/index.ts";
import { DrayError, errorIn, isDrayError, lacksBlobs, restated } from "../errors.ts";
import { type HttpResponse, header, isTransient, type RetryBudget } from "../http/index.ts";
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  isDigest,
  isManifestLike,
  isTag,
  largestManifest,
  manifestAccept,
  parseManifest,
} from "../oci/index.ts";
import { type Call, callIn, pathIn, type Repo, referenceIn } from "./api.ts";
import { lengthOf } from "./blobs.ts";
import { type Conditions, conditionHeaders } from "./conditions.ts";
import { digestOfManifest } from "./schema1.ts";

/** A manifest as it was read: its bytes have the digest and the size of the descriptor. */
export interface ReadManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** What a later write or read may be bound to (`ifMatch`, `ifNoneMatch`), where the registry gives it. */
  readonly etag?: string | undefined;
}

/**
 * What a tag or digest stands for: one HEAD, or a GET where HEAD does not say all.
 * @throws DrayError `NOT_FOUND`
 */
export const resolveManifest = async (repo: Repo, name: string, cancel: Cancel = {}): Promise<Descriptor> => {
  const options = drawing(repo, cancel);
  const head = await headManifest(repo, name, options);
  if (typeof head === "object") return head;
  // Whether a registry's HEAD can be believed when it finds nothing is found out once, and what it says about it is heard.
  if (foundNothing(head) && repo.api.features.head === true) throw notFound(repo, name);
  return byGet(repo, name, head, options);
};

/** The same where nothing may be there: no error is made of that, which would take another request. */
export const lookUpManifest = async (
  repo: Repo,
  name: string,
  cancel: Cancel = {},
): Promise<Descriptor | undefined> => {
  const options = lookingUp(repo, cancel);
  return foundBy(repo, name, await headManifest(repo, name, options), options);
};

/** Whether a repository has a manifest, whole. */
export const hasManifest = async (repo: Repo, { digest, size }: Descriptor, cancel: Cancel = {}): Promise<boolean> => {
  const options = lookingUp(repo, cancel);
  const head = await headManifest(repo, digest, options);
  // Some servers fail over a digest that they do not know as a manifest's. Putting it there will tell.
  return head !== "failing" && (await foundBy(repo, digest, head, options))?.size === size;
};

const foundBy = async (
  repo: Repo,
  name: string,
  head: HeadAnswer,
  options: Drawing,
): Promise<Descriptor | undefined> => {
  if (typeof head === "object") return head;
  if (head === "absent" || (head === "missing" && repo.api.features.head === true)) return undefined;
  try {
    return await byGet(repo, name, head, options);
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
};

const foundNothing = (head: HeadAnswer): boolean => head === "missing" || head === "absent";

const byGet = async (repo: Repo, name: string, head: HeadAnswer, options: Drawing): Promise<Descriptor> => {
  const { features } = repo.api;
  try {
    const { descriptor } = await getManifest(repo, name, options);
    if (foundNothing(head)) features.head = false;
    return descriptor;
  } catch (error) {
    if (foundNothing(head) && isDrayError(error, "NOT_FOUND")) features.head = true;
    throw error;
  }
};

/**
 * Reads a manifest by tag or digest. Its bytes are always hashed: what is asked for by digest has it, and what a tag
 * stands for has the digest that the registry names.
 * @throws DrayError `NOT_FOUND`, `DIGEST_MISMATCH`, `LIMIT_EXCEEDED`
 */
export const getManifest = async (
  repo: Repo,
  name: string,
  { signal, retryBudget = repo.api.retryBudget(), lookUp }: Cancel & Partial<Drawing> = {},
): Promise<ReadManifest> => {
  const options = { signal, retryBudget, lookUp };
  const call = manifestCall(repo, name, options);
  return asRead(repo, name, await readWhole(repo, () => repo.api.ask({ ...call, method: "GET" }, 200), name, options));
};

/**
 * The same, unless it still has the entity tag `ifNoneMatch` and the registry says so (304).
 * @throws DrayError as `getManifest`
 */
export const getManifestUnless = async (
  repo: Repo,
  name: string,
  { ifNoneMatch, signal }: Cancel & Pick<Conditions, "ifNoneMatch">,
): Promise<ReadManifest | undefined> => {
  const options = drawing(repo, { signal });
  const call = manifestCall(repo, name, options);
  const headers = [...(call.headers ?? []), ...conditionHeaders({ ifNoneMatch })];
  const ask = (): Promise<HttpResponse> => repo.api.ask({ ...call, headers, method: "GET" }, 200, 304);
  const read = await readWhole(repo, ask, name, options);
  return read.response.status === 304 ? undefined : asRead(repo, name, read);
};

/** An answer with its body. */
interface WholeAnswer {
  readonly response: HttpResponse;
  readonly bytes: Uint8Array;
}

const asRead = (repo: Repo, name: string, { response, bytes }: WholeAnswer): ReadManifest => {
  const what = `manifest ${referenceIn(repo, name)}`;
  const mediaType = mediaTypeOf(response) ?? naming(what, () => mediaTypeInside(bytes));
  const said = digestSaid(response);
  const expected = isDigest(name) ? name : said;
  const digest = naming(what, () => digestOfManifest(bytes, mediaType, expected && algorithmOf(expected)));
  const descriptor = { mediaType, digest, size: bytes.byteLength };
  if (expected !== undefined && digest !== expected) throw mismatch(repo, name, digest, expected);
  repo.manifests.set(digest, { mediaType, bytes }, bytes.byteLength);
  const etag = header(response.headers, "ETag");
  return { descriptor, bytes, etag };
};

/** An answer that is cut off is asked for again. */
const readWhole = async (
  repo: Repo,
  ask: () => Promise<HttpResponse>,
  name: string,
  { signal, retryBudget }: Drawing,
): Promise<WholeAnswer> => {
  const what = `manifest ${referenceIn(repo, name)}`;
  const { onEvent } = repo.api.settings;
  for (;;) {
    const response = await ask();
    try {
      return { response, bytes: await bytesOf(response, what) };
    } catch (error) {
      if (!isDrayError(error) || !error.retryable) throw error;
      await retryBudget.resume(error, { what, registry: repo.api.registry, signal, onEvent });
    }
  }
};

/** The bytes of a manifest that is known by its descriptor. */
export async function* readManifest(
  repo: Repo,
  descriptor: Descriptor,
  { offset = 0, ...options }: Cancel & { readonly offset?: number | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const held = repo.manifests.get(descriptor.digest);
  const bytes = held?.bytes ?? (await byDigestOrTag(repo, descriptor.digest, options)).bytes;
  if (bytes.byteLength !== descriptor.size && repo.hintedSizes.get(descriptor.digest) !== descriptor.size)
    throw wrongSize(repo, descriptor, bytes.byteLength);
  if (offset < bytes.byteLength) yield bytes.slice(offset);
}

/** What HEAD of a tag has named and GET of the digest does not know is read by its tag: some registries have it there alone. */
const byDigestOrTag = async (repo: Repo, digest: Digest, options: Cancel): Promise<ReadManifest> => {
  try {
    return await getManifest(repo, digest, options);
  } catch (error) {
    const tag = repo.hintedTags.get(digest);
    if (tag === undefined || !isDrayError(error, "NOT_FOUND")) throw error;
    const found = await getManifest(repo, tag, options);
    if (found.descriptor.digest === digest) return found;
    const reference = referenceIn(repo, tag);
    const message = `${repo.api.registry} says of ${reference} that it is ${digest}, has nothing of that digest, and answers with ${found.descriptor.digest}; name it by that digest`;
    throw restated(error, "REGISTRY", message, { reference });
  }
};

/**
 * Puts manifest bytes there, under a tag or their digest.
 * @returns the subject that the registry says it has taken note of (`OCI-Subject`).
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
 */
export const putManifest = async (
  repo: Repo,
  { descriptor, bytes }: Omit<ReadManifest, "etag">,
  name: string,
  options: WriteOptions & Conditions = {},
): Promise<{ readonly subject: string | undefined; readonly tags: readonly string[] }> => {
  const { digest, mediaType } = descriptor;
  // A tag takes whatever algorithm the registry prefers: only by its digest does a manifest keep another one.
  const both = !isDigest(name) && algorithmOf(digest) !== "sha256";
  const named = manifestPath(repo, name);
  const call: Call = {
    ...callIn(repo, "pull,push", "pushing manifest", name),
    method: "PUT",
    target: both ? `${manifestPath(repo, digest)}?tag=${name}` : named,
    headers: [["Content-Type", mediaType], ...conditionHeaders(options)],
    body: bytesContent(bytes),
    signal: options.signal,
    onEvent: options.onEvent,
  };
  const response = await putPatiently(repo, call);
  await response.body.discard();
  const said = digestSaid(response);
  if (said !== undefined && algorithmOf(said) === algorithmOf(digest) && said !== digest)
    throw mismatch(repo, name, said, digest);
  repo.manifests.set(digest, { mediaType, bytes }, bytes.byteLength);
  const tags = (header(response.headers, "OCI-Tag") ?? "").split(",").map((tag) => tag.trim());
  const subject = header(response.headers, "OCI-Subject");
  if (both && !tags.includes(name)) await repo.api.ask({ ...call, target: named }, 201, 202, 200);
  return { subject, tags };
};

/** Milliseconds that a registry may take to know of blobs that it has just got: not each of its parts hears of them at once. */
const untilKnown = [500, 2000];

const putPatiently = async (repo: Repo, call: Call): Promise<HttpResponse> => {
  const { signal, reference: what, onEvent = repo.api.settings.onEvent } = call;
  const retryBudget = repo.api.retryBudget();
  for (const wait of untilKnown) {
    const response = await repo.api.send(call);
    if ([201, 202, 200].includes(response.status)) return response;
    const refused = await repo.api.refusal(call, response);
    if (!lacksBlobs(refused) || retryBudget.draw(wait) === undefined) throw refused;
    await retryBudget.pause(wait, refused.message, { what, registry: repo.api.registry, signal, onEvent });
  }
  return repo.api.ask(call, 201, 202, 200);
};

/** Where a manifest is; whatever is neither tag nor digest would lead somewhere else. */
export const manifestPath = (repo: Repo, name: string): string => {
  if (isDigest(name) || isTag(name)) return pathIn(repo, `manifests/${name}`);
  const facts = { reference: referenceIn(repo, name), registry: repo.api.registry };
  throw new DrayError("REFERENCE_INVALID", `"${name}" is neither a tag nor a digest that is known`, facts);
};

export const manifestCall = (
  repo: Repo,
  name: string,
  { signal, retryBudget, lookUp }: Cancel & Partial<Drawing>,
): Omit<Call, "method"> => ({
  ...callIn(repo, "pull", lookUp === true ? "looking for manifest" : "reading manifest", name),
  target: manifestPath(repo, name),
  headers: [["Accept", manifestAccept]],
  signal,
  retryBudget,
  lookUp,
});

/** HEAD and the GET that may have to follow are about one piece of content. */
interface Drawing extends Cancel {
  readonly retryBudget: RetryBudget;
  /** That nothing is there is an answer. */
  readonly lookUp?: boolean | undefined;
}

const drawing = (repo: Repo, cancel: Cancel): Drawing => ({ ...cancel, retryBudget: repo.api.retryBudget() });
const lookingUp = (repo: Repo, cancel: Cancel): Drawing => ({ ...drawing(repo, cancel), lookUp: true });

/**
 * `"missing"`: nothing was found, if HEAD is understood; `"absent"`: it is. `"unclear"`: it is not, or does not say all that is needed.
 */
type HeadAnswer = Descriptor | "missing" | "absent" | "failing" | "unclear";

/** Asked once: where it fails the GET that follows decides, and that is repeated. */
const headManifest = async (repo: Repo, name: string, options: Drawing): Promise<HeadAnswer> => {
  const { features } = repo.api;
  if (features.head === false) return "unclear";
  const response = await repo.api.send({ ...manifestCall(repo, name, options), method: "HEAD", retry: false });
  const { status } = response;
  await response.body.discard();
  if (isTransient(status)) options.retryBudget.draw();
  // What answers with the type of the specification's errors is a registry that knows HEAD.
  if (status === 404) return isJson(response) ? "absent" : "missing";
  if (status === 500) return "failing";
  const [mediaType, size, digest] = [mediaTypeOf(response), lengthOf(response), digestSaid(response)];
  if (status !== 200 || mediaType === undefined || !size || digest === undefined) return "unclear";
  // A registry may name the digest in its favourite algorithm; in the same one it has to be the one asked for.
  if (isDigest(name) && digest !== name && algorithmOf(digest) === algorithmOf(name)) return "unclear";
  features.head = true;
  const found = { mediaType, digest: isDigest(name) ? name : digest, size };
  repo.hintedSizes.set(found.digest, size);
  if (!isDigest(name)) repo.hintedTags.set(found.digest, name);
  return found;
};

export const digestSaid = ({ headers }: HttpResponse): Digest | undefined => {
  const said = header(headers, "Docker-Content-Digest")?.trim();
  return isDigest(said) ? said : undefined;
};

const isJson = ({ headers }: HttpResponse): boolean =>
  /^application\/json\b/i.test(header(headers, "Content-Type") ?? "");

/** The media type without its parameters, unless it is one that servers give to anything. */
const mediaTypeOf = ({ headers }: HttpResponse): string | undefined => {
  const type = header(headers, "Content-Type")?.split(";", 1)[0]?.trim().toLowerCase();
  return type === undefined || type === "" || anything.has(type) ? undefined : type;
};
const anything = new Set([
  "application/json",
  "application/octet-stream",
  "binary/octet-stream",
  "text/plain",
  "text/html",
]);

/** What a manifest calls itself. */
const mediaTypeInside = (bytes: Uint8Array): string => {
  const { mediaType } = parseManifest(bytes);
  return isManifestLike(mediaType) ? mediaType : "application/octet-stream";
};

/** Errors over bytes that are no manifest, such as a page that says "log in", say where these came from. */
const naming = <T>(what: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw errorIn(what, error);
  }
};

/** Bytes that have the digest are the right ones: who names them with another size is wrong. */
const wrongSize = (repo: Repo, { digest, size }: Descriptor, found: number): DrayError => {
  const reference = referenceIn(repo, digest);
  const message = `manifest ${reference} is whole and has ${found} bytes; the index that names it says ${size}, which is wrong: whoever made the index has to make it again`;
  return new DrayError("SIZE_MISMATCH", message, { reference, registry: repo.api.registry });
};

const notFound = (repo: Repo, name: string): DrayError => {
  const reference = referenceIn(repo, name);
  const facts = { status: 404, reference, registry: repo.api.registry };
  return new DrayError("NOT_FOUND", `there is no manifest ${reference}; check the name, or list what is there`, facts);
};

const bytesOf = async (response: HttpResponse, what: string): Promise<Uint8Array> => {
  try {
    if ((lengthOf(response) ?? 0) > largestManifest)
      throw new DrayError("LIMIT_EXCEEDED", `${what} is larger than ${largestManifest} bytes`);
    return await collect(response.body.chunks, largestManifest, what);
  } finally {
    await response.body.discard();
  }
};

export const mismatch = (repo: Repo, name: string, found: Digest, expected: Digest): DrayError => {
  const reference = referenceIn(repo, name);
  const message = `manifest ${reference} has digest ${found}, not ${expected}: it was damaged or replaced on the way; try again or another source`;
  return new DrayError("DIGEST_MISMATCH", message, { reference, registry: repo.api.registry });
};
