import { type ReadOptions, sized, sizeMismatch, verified } from "../content/index.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type HttpResponse, header } from "../http/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import { blobCall, contentRange, lengthOf } from "./blobs.ts";
import { restated } from "./restated.ts";

/**
 * The bytes of a blob, from `offset` on. A connection that is cut is taken up again at the byte where it stopped; each
 * time from the registry's own address, since addresses of storage services that it names are signed for some minutes
 * only. Unless told otherwise the bytes are hashed as they pass, and wrong ones throw at the end.
 * @throws DrayError `NOT_FOUND`, `SIZE_MISMATCH`, `DIGEST_MISMATCH`, `NETWORK` when it fails again and again
 */
export const readBlob = (repo: Repo, descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> => {
  const { offset = 0, verify = true } = options;
  const chunks = resumed(repo, descriptor, offset, options);
  return verify && offset === 0 ? verified(chunks, descriptor) : sized(chunks, descriptor, offset);
};

async function* resumed(
  repo: Repo,
  descriptor: Descriptor,
  offset: number,
  { signal, onEvent = repo.api.settings.onEvent }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  if (offset > 0 && offset >= descriptor.size) return;
  let at = offset;
  let failures = 0;
  do {
    const before = at;
    try {
      for await (const chunk of open(repo, descriptor, at, signal)) {
        at += chunk.byteLength;
        yield chunk;
      }
      if (at < descriptor.size) throw cutShort(descriptor, at);
    } catch (error) {
      throwIfAborted(signal);
      if (!isDrayError(error) || !error.retryable) throw error;
      failures = at > before ? 1 : failures + 1;
      const { attempts, backoff, clock } = repo.api.settings;
      if (failures >= attempts) throw error;
      // A connection that was cut once may be taken up at once.
      const delay = failures === 1 ? 0 : backoff(failures - 1, clock.random());
      onEvent?.({ type: "retry", what: descriptor.digest, attempt: failures, delay, reason: error.message });
      await clock.sleep(delay, signal);
    }
  } while (at < descriptor.size);
}

/** One request for the bytes from `at` on. */
async function* open(
  repo: Repo,
  descriptor: Descriptor,
  at: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const call = {
    ...blobCall(repo, descriptor.digest, "GET", signal === undefined ? {} : { signal }),
    ...(at === 0 ? {} : { headers: [["Range", `bytes=${at}-`]] as const }),
  };
  const response = await repo.api.send(call);
  if (response.status !== 200 && response.status !== 206) {
    if (response.status === 416) await endedEarly(response, descriptor);
    const refused = await repo.api.refusal(call, response);
    throw (await isElsewhere(repo, response)) ? expired(refused) : refused;
  }
  const { body } = response;
  try {
    let skip = at - startOf(response, descriptor, at);
    for await (const chunk of body.chunks) {
      if (skip >= chunk.byteLength) skip -= chunk.byteLength;
      else {
        yield skip > 0 ? chunk.subarray(skip) : chunk;
        skip = 0;
      }
    }
  } finally {
    await body.discard();
  }
}

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
