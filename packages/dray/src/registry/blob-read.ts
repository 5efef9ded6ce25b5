import { type OnEvent, type ReadOptions, sizeMismatch, verified } from "../content/index.ts";
import { DrayError, isDrayError, restated, throwIfAborted } from "../errors.ts";
import { type HttpResponse, header, type RetryBudget } from "../http/index.ts";
import { algorithmOf, type Descriptor, digestOf, isForeignLayerType } from "../oci/index.ts";
import type { Repo, Settings } from "./api.ts";
import { blobCall, contentRange, lengthOf } from "./blobs.ts";

/**
 * The bytes of a blob, from `offset` on. A connection that is cut is taken up again at the byte where it stopped; each
 * time from the registry's own address, since addresses of storage services that it names are signed for some minutes
 * only. Unless told otherwise the bytes are hashed as they pass, and wrong ones throw at the end.
 * @throws DrayError `NOT_FOUND`, `SIZE_MISMATCH`, `DIGEST_MISMATCH`, `NETWORK` when it fails again and again
 */
export const readBlob = (repo: Repo, descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> => {
  const { offset = 0, verify = true } = options;
  const held = embedded(descriptor);
  if (held !== undefined) return from(held.subarray(offset));
  const chunks = resumed(repo, descriptor, offset, options);
  return verify && offset === 0 ? verified(chunks, descriptor) : chunks;
};

/** One loop without layers: each generator between the wire and its reader costs a hundredth of a copy. */
async function* resumed(
  repo: Repo,
  descriptor: Descriptor,
  offset: number,
  { signal, onEvent = repo.api.settings.onEvent }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  if (offset > 0 && offset >= descriptor.size) return;
  const { size } = descriptor;
  const retryBudget = repo.api.retryBudget();
  const urls = foreignUrls(descriptor, repo.api.settings);
  let elsewhere: URL | undefined;
  let at = offset;
  do {
    const before = at;
    try {
      const response = await open(repo, descriptor, at, { signal, onEvent, retryBudget }, elsewhere);
      try {
        let skip = at - startOf(response, descriptor, at);
        for await (const chunk of response.body.chunks) {
          const part = skip === 0 ? chunk : chunk.subarray(skip);
          skip -= Math.min(skip, chunk.byteLength);
          at += part.byteLength;
          if (at > size) throw sizeMismatch(descriptor, "more");
          if (part.byteLength > 0) yield part;
        }
      } finally {
        await response.body.discard();
      }
      if (at < size) throw cutShort(descriptor, at);
    } catch (error) {
      throwIfAborted(signal);
      if (isDrayError(error, "NOT_FOUND") && urls.length > 0) {
        elsewhere = urls.shift();
        continue;
      }
      if (!isDrayError(error) || !error.retryable) throw error;
      if (at > before) retryBudget.refill();
      await retryBudget.resume(error, { what: descriptor.digest, signal, onEvent });
    }
  } while (at < size);
}

/** One request for the bytes from `at` on. */
const open = async (
  repo: Repo,
  descriptor: Descriptor,
  at: number,
  { signal, ...context }: { signal: AbortSignal | undefined; onEvent: OnEvent | undefined; retryBudget: RetryBudget },
  elsewhere: URL | undefined,
): Promise<HttpResponse> => {
  const call = {
    ...blobCall(repo, descriptor.digest, "GET", { signal }),
    ...context,
    ...(elsewhere === undefined ? {} : { target: elsewhere }),
    ...(at === 0 ? {} : { headers: [["Range", `bytes=${at}-`]] as const }),
  };
  const response = await repo.api.send(call);
  if (response.status === 200 || response.status === 206) return response;
  if (response.status === 416) await endedEarly(response, descriptor);
  const refused = await repo.api.refusal(call, response);
  throw elsewhere === undefined && (await isElsewhere(repo, response)) ? expired(refused) : refused;
};

/** Where an answer to a request for the bytes from `at` on begins. A server that ignores `Range` sends all of it, with 200. */
const startOf = (response: HttpResponse, descriptor: Descriptor, at: number): number => {
  const range = response.status === 206 ? contentRange(response.headers) : undefined;
  const size = response.status === 206 ? range?.size : lengthOf(response);
  if (size !== undefined && size !== descriptor.size) throw sizeMismatch(descriptor, `${size}`);
  if (response.status === 200) return 0;
  if (range !== undefined && range.start > at) {
    const message = `asked for ${descriptor.digest} from byte ${at} on, the answer begins at ${range.start}`;
    throw new DrayError("REGISTRY", message, { reference: descriptor.digest, status: 206 });
  }
  return range?.start ?? at;
};

/** The bytes asked for are beyond the end: the registry has fewer than were promised. */
const endedEarly = async ({ headers, body }: HttpResponse, descriptor: Descriptor): Promise<never> => {
  await body.discard();
  throw sizeMismatch(descriptor, /\*\/([0-9]+)/.exec(header(headers, "Content-Range") ?? "")?.[1] ?? "fewer");
};

const isElsewhere = async (repo: Repo, { url }: HttpResponse): Promise<boolean> =>
  new URL(url).origin !== (await repo.api.origin());

/** A storage service that refuses what the registry has signed: the signature has run out while the request waited. */
const expired = (error: DrayError): DrayError =>
  error.status === 404 ? error : restated(error, error.code, error.message, { retryable: true });

const cutShort = (descriptor: Descriptor, at: number): DrayError =>
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
const foreignUrls = ({ mediaType, urls }: Descriptor, { foreignLayers, plainHttp }: Settings): URL[] => {
  if (foreignLayers !== true || !isForeignLayerType(mediaType)) return [];
  return (urls ?? [])
    .filter((url) => URL.canParse(url))
    .map((url) => new URL(url))
    .filter(({ protocol }) => protocol === "https:" || (protocol === "http:" && plainHttp === true));
};
