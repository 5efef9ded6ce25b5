import {
  type Cancel,
  type Digested,
  type OnEvent,
  type ReadOptions,
  sizeMismatch,
  verified,
} from "../content/index.ts";
import { DrayError, isDrayError, restated, throwIfAborted } from "../errors.ts";
import { type HeaderPairs, type HttpResponse, header, type RetryBudget } from "../http/index.ts";
import { algorithmOf, type Descriptor, type Digest, digestOf, isForeignLayerType, parseDigest } from "../oci/index.ts";
import { type Call, callIn, pathIn, type Repo, referenceIn, type Settings } from "./api.ts";

/**
 * The bytes of a blob, from `offset` on, up to `length` of them. A connection that is cut is taken up again at the byte where it stopped; each
 * time from the registry's own address, since addresses of storage services that it names are signed for some minutes
 * only. Unless told otherwise the bytes are hashed as they pass, and wrong ones throw at the end.
 * @throws DrayError `NOT_FOUND`, `SIZE_MISMATCH`, `DIGEST_MISMATCH`, `NETWORK` when it fails again and again
 */
export const readBlob = (repo: Repo, descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> => {
  const { offset = 0, length, verify = true } = options;
  const held = embedded(descriptor);
  if (held !== undefined) return from(held.subarray(offset, length === undefined ? undefined : offset + length));
  const chunks = resumed(repo, descriptor, offset, options);
  return verify && offset === 0 && length === undefined ? honest(repo, descriptor, chunks) : chunks;
};

/** Checks the bytes. Where a mirror gave wrong ones, the next reader gets them from somebody else. */
async function* honest(
  repo: Repo,
  descriptor: Digested,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* verified(chunks, descriptor);
  } catch (error) {
    if (isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH"))
      repo.api.elsewhere?.misled(descriptor.digest, error.code === "DIGEST_MISMATCH");
    throw error;
  }
}

/**
 * The same by digest alone, in one request: how large it is the answer says, or nobody does until it ends.
 * @throws DrayError `NOT_FOUND`, `DIGEST_MISMATCH`, `NETWORK`
 */
export const readBlobByDigest = (repo: Repo, digest: Digest, options: ReadOptions = {}): AsyncGenerator<Uint8Array> => {
  const { offset = 0, length, verify = true } = options;
  const chunks = resumed(repo, { digest }, offset, options);
  return verify && offset === 0 && length === undefined ? honest(repo, { digest }, chunks) : chunks;
};

/** What is read: by its descriptor, or by its digest alone. */
type Wanted = Digested & Omit<Partial<Descriptor>, "digest" | "size">;

/** One loop without layers: each generator between the wire and its reader costs a hundredth of a copy. */
async function* resumed(
  repo: Repo,
  descriptor: Wanted,
  offset: number,
  { length = Number.POSITIVE_INFINITY, signal, onEvent = repo.api.settings.onEvent }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  let { size } = descriptor;
  if ((offset > 0 && size !== undefined && offset >= size) || length <= 0) return;
  /** Where what is wanted ends, which may lie behind the end of all. */
  const end = offset + length;
  const retryBudget = repo.api.retryBudget();
  const urls = foreignUrls(descriptor, repo.api.settings);
  let elsewhere: URL | undefined;
  let at = offset;
  /** Whether a part can be asked for. */
  let ranges = true;
  /** A whole answer was too short before: a cache that had kept half of it does so again. */
  let wasShort = false;
  for (;;) {
    const before = at;
    try {
      const part = ranges ? partOf(at, end, size) : undefined;
      const response = await open(repo, descriptor, part, { signal, onEvent, retryBudget }, elsewhere);
      if (part !== undefined && isNoPart(response, descriptor)) {
        await response.body.discard();
        ranges = false;
        continue;
      }
      try {
        size ??= wholeSize(response);
        let skip = at - startOf(response, { ...descriptor, size }, at);
        for await (const chunk of response.body.chunks) {
          const part = skip === 0 ? chunk : chunk.subarray(skip);
          skip -= Math.min(skip, chunk.byteLength);
          if (at + part.byteLength >= end) {
            // The answer may go on, where the registry knows no ranges.
            yield part.subarray(0, end - at);
            return;
          }
          at += part.byteLength;
          if (size !== undefined && at > size) throw sizeMismatch({ ...descriptor, size }, "more");
          if (part.byteLength > 0) yield part;
        }
      } finally {
        await response.body.discard();
      }
      if (size === undefined || at >= size) return;
      throw cutShort({ ...descriptor, size }, at);
    } catch (error) {
      throwIfAborted(signal);
      if (isDrayError(error, "NOT_FOUND") && urls.length > 0) {
        elsewhere = urls.shift();
        continue;
      }
      if (!isDrayError(error) || !error.retryable) throw error;
      if (error.code === "SIZE_MISMATCH") {
        if (wasShort) throw restated(error, error.code, error.message, { retryable: false });
        wasShort = true;
      }
      await retryBudget.resume(
        error,
        { what: descriptor.digest, registry: repo.api.registry, signal, onEvent },
        at > before,
      );
    }
  }
}

/** What is asked for of a blob, as `Range` says it; nothing where that is all. */
const partOf = (at: number, end: number, size = Number.POSITIVE_INFINITY): string | undefined => {
  if (end < size && Number.isFinite(end)) return `bytes=${at}-${end - 1}`;
  return at === 0 ? undefined : `bytes=${at}-`;
};

/** One request for all bytes, or for a part. */
const open = async (
  repo: Repo,
  descriptor: Wanted,
  part: string | undefined,
  { signal, ...context }: { signal: AbortSignal | undefined; onEvent: OnEvent | undefined; retryBudget: RetryBudget },
  elsewhere: URL | undefined,
): Promise<HttpResponse> => {
  const call = blobCall(repo, descriptor.digest, "GET", { signal });
  const headers: HeaderPairs = part === undefined ? [] : [["Range", part]];
  const from = { ...call, ...context, size: descriptor.size, target: elsewhere ?? call.target, headers };
  const response = await repo.api.send(from);
  if (response.status === 200 || response.status === 206 || (response.status === 416 && part !== undefined))
    return response;
  const refused = await repo.api.refusal(from, response);
  throw elsewhere === undefined && (await isElsewhere(repo, response)) ? expired(refused) : refused;
};

/**
 * Whether a request for a part got no part: then the whole is asked for. Some refuse although bytes are missing, some wrap even one part.
 * @throws DrayError `SIZE_MISMATCH` where the registry has fewer bytes than were promised
 */
const isNoPart = ({ status, headers }: HttpResponse, { digest, size }: Wanted): boolean => {
  if (status !== 416) return status === 206 && /^multipart\//i.test(header(headers, "Content-Type") ?? "");
  const there = /\*\/([0-9]+)/.exec(header(headers, "Content-Range") ?? "")?.[1];
  if (there !== undefined && size !== undefined && Number(there) < size) throw sizeMismatch({ digest, size }, there);
  return true;
};

/** Where an answer to a request for the bytes from `at` on begins. A server that ignores `Range` sends all of it, with 200. */
const startOf = (response: HttpResponse, { digest, size: promised }: Wanted, at: number): number => {
  const range = response.status === 206 ? contentRange(response.headers) : undefined;
  const size = wholeSize(response);
  if (size !== undefined && promised !== undefined && size !== promised) {
    const mismatch = sizeMismatch({ digest, size: promised }, `${size}`);
    const isShort = response.status === 200 && size < promised;
    throw isShort ? restated(mismatch, mismatch.code, mismatch.message, { retryable: true }) : mismatch;
  }
  if (response.status === 200) return 0;
  if (range !== undefined && range.start > at) {
    const message = `asked for ${digest} from byte ${at} on, the answer begins at ${range.start}`;
    throw new DrayError("REGISTRY", message, { reference: digest, status: 206 });
  }
  return range?.start ?? at;
};

/** The bytes that there are in all, as an answer says, whatever part of them it brings. */
const wholeSize = (response: HttpResponse): number | undefined =>
  response.status === 206 ? contentRange(response.headers)?.size : lengthOf(response);

const isElsewhere = async (repo: Repo, { url }: HttpResponse, { signal }: Cancel = {}): Promise<boolean> =>
  new URL(url).origin !== (await repo.api.origin(signal));

/** A storage service that refuses what the registry has signed: the signature has run out while the request waited. */
const expired = (error: DrayError): DrayError =>
  error.status === 404 ? error : restated(error, error.code, error.message, { retryable: true });

const cutShort = (descriptor: Pick<Descriptor, "digest" | "size">, at: number): DrayError =>
  new DrayError("NETWORK", `the answer ended after ${at} of ${descriptor.size} bytes of ${descriptor.digest}`, {
    reference: descriptor.digest,
    retryable: true,
  });

/**
 * The bytes that a descriptor itself carries in `data`, which saves the request. Bytes that it does not stand for are
 * passed over: they are read from where they belong, and checked there.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md#embedded-content
 */
const embedded = ({ data, size, digest }: Descriptor): Uint8Array | undefined => {
  if (typeof data !== "string") return undefined;
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  return bytes.byteLength === size && digestOf(bytes, algorithmOf(digest)) === digest ? bytes : undefined;
};

async function* from(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

/**
 * Where the bytes of a foreign layer lie, if its registry does not have them: Windows base layers stayed with their maker by
 * licence. Only followed with leave: a manifest from anywhere would otherwise choose whom we speak to.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md#properties
 */
const foreignUrls = ({ mediaType = "", urls }: Wanted, { foreignLayers, plainHttp }: Settings): URL[] => {
  if (foreignLayers !== true || !isForeignLayerType(mediaType)) return [];
  return (urls ?? [])
    .filter((url) => URL.canParse(url))
    .map((url) => new URL(url))
    .filter(({ protocol }) => protocol === "https:" || (protocol === "http:" && plainHttp === true));
};

/** Whether a repository has a blob, whole. */
export const hasBlob = async (
  repo: Repo,
  { digest, size }: Descriptor,
  options: Cancel & { readonly retryBudget?: RetryBudget } = {},
): Promise<boolean> => {
  const asking = { ...options, lookUp: true };
  const said = await sizeOfBlob(repo, digest, asking);
  // Some proxies say 0 of every answer without a body.
  const found =
    said === 0 && size > 0
      ? await sizeByRange(repo, digest, { ...asking, retryBudget: options.retryBudget ?? repo.api.retryBudget() })
      : said;
  return found === "unknown" || found === size;
};

/**
 * What a blob is by its digest alone. Registries do not know the media types of blobs.
 * @throws DrayError `NOT_FOUND`
 */
export const describeBlob = async (repo: Repo, digest: Digest, options: Cancel = {}): Promise<Descriptor> => {
  const drawing = { ...options, retryBudget: repo.api.retryBudget() };
  let size = await sizeOfBlob(repo, digest, drawing);
  if (size === "unknown") size = await sizeByRange(repo, digest, drawing);
  if (typeof size === "number") return { mediaType: "application/octet-stream", digest, size };
  const facts = { reference: referenceIn(repo, digest), registry: repo.api.registry };
  if (size === undefined) throw new DrayError("NOT_FOUND", `there is no blob ${facts.reference}`, facts);
  throw new DrayError("REGISTRY", `${facts.registry} does not say how large ${facts.reference} is`, facts);
};

/** The bytes that a HEAD announces; `"unknown"` for a blob that is there and whose size is not said; `undefined` for none. */
const sizeOfBlob = async (
  repo: Repo,
  digest: Digest,
  { retryBudget = repo.api.retryBudget(), ...options }: LookingUp & { readonly retryBudget?: RetryBudget },
): Promise<number | "unknown" | undefined> => {
  const call = { ...blobCall(repo, digest, "HEAD", options), retryBudget };
  const response = await repo.api.send(call);
  if (response.status === 404 || response.status === 200) {
    await response.body.discard();
    return response.status === 404 ? undefined : (lengthOf(response) ?? "unknown");
  }
  // A storage service may have been asked with an address that is signed for GET alone.
  if (!(await isElsewhere(repo, response, options)) && response.status !== 405)
    throw await repo.api.refusal(call, response);
  await response.body.discard();
  return sizeByRange(repo, digest, { ...options, retryBudget });
};

const sizeByRange = async (
  repo: Repo,
  digest: Digest,
  { retryBudget, ...options }: LookingUp & { readonly retryBudget: RetryBudget },
): Promise<number | "unknown" | undefined> => {
  const headers = [["Range", "bytes=0-0"]] as const;
  const response = await repo.api.ask(
    { ...blobCall(repo, digest, "GET", options), retryBudget, headers },
    200,
    206,
    404,
  );
  await response.body.discard();
  if (response.status === 404) return undefined;
  const size = response.status === 200 ? lengthOf(response) : contentRange(response.headers)?.size;
  return size ?? "unknown";
};

/** `lookUp`: that nothing is there is an answer. */
type LookingUp = Cancel & { readonly lookUp?: boolean | undefined };

/** Where a blob is; what is no digest, whatever its type says, would lead somewhere else. */
export const blobPath = (repo: Repo, digest: Digest): string => pathIn(repo, `blobs/${parseDigest(digest)}`);

/** A request about a blob. */
const blobCall = (repo: Repo, digest: Digest, method: "GET" | "HEAD", { signal, lookUp }: LookingUp): Call => ({
  ...callIn(repo, "pull", lookUp === true ? "looking for blob" : "reading blob", digest),
  method,
  target: blobPath(repo, digest),
  signal,
  lookUp,
  digestKnown: true,
});

/** `Content-Length` as a number. */
export const lengthOf = ({ headers }: HttpResponse): number | undefined => {
  const text = header(headers, "Content-Length")?.trim();
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
};

/** What `Content-Range: bytes 5-9/10` says. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.4 */
const contentRange = (headers: HeaderPairs): { start: number; size: number | undefined } | undefined => {
  const [, start, size] =
    /^bytes\s+([0-9]+)-[0-9]+\/([0-9]+|\*)$/i.exec(header(headers, "Content-Range")?.trim() ?? "") ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), size: size === "*" ? undefined : Number(size) };
};
