import { isReceived } from "@dray/service/response";
import { isDrayError } from "dray/errors";
import { isContent } from "dray/http";
import { Semaphore } from "dray/internal/async";
import { RegistryError } from "../registry-error.ts";
import type { Call } from "./call.ts";

/** Bytes that wait in memory for the rest; nearly all manifests have fewer. */
const mostHeld = 64 * 1024;

/** Larger ones that are in memory whole, of all requests together. */
const large = new Semaphore(4);

/**
 * Gets a pushed manifest, and works on it. While a large one comes it lies in a file, as a blob does: however many clients stop in the
 * middle, they hold no memory, and whoever sends all of it does not wait for them.
 * @throws RegistryError 413, SIZE_INVALID, MANIFEST_INVALID without a body
 */
export const withManifestBody = async <T>(call: Call, work: (bytes: Uint8Array) => Promise<T>): Promise<T> => {
  const { request, context } = call;
  const limit = context.settings.largestManifest;
  const tooLarge = (): RegistryError =>
    new RegistryError(413, "SIZE_INVALID", `a manifest may have ${limit} bytes at most`);
  const { body } = request;
  if (body === undefined) throw new RegistryError(400, "MANIFEST_INVALID", "the request has no body");
  const length = isContent(body) ? body.size : body.length;
  if (length !== undefined && length > limit) throw tooLarge();
  const checked = (bytes: Uint8Array): Promise<T> => {
    if (bytes.byteLength > limit) throw tooLarge();
    if (length === undefined || bytes.byteLength === length) return work(bytes);
    throw new RegistryError(400, "SIZE_INVALID", `${length} bytes were announced, ${bytes.byteLength} came`);
  };
  const chunks = call.chunks()[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let isOver = false;
  try {
    for (let size = 0; size <= mostHeld; ) {
      const { done, value } = await chunks.next();
      if (done === true) {
        isOver = true;
        return await checked(Buffer.concat(held, size));
      }
      // A copy: what came may be the client's own memory, or a corner of a large buffer.
      held.push(value.slice());
      size += value.byteLength;
    }
    const rest = restOf(held, chunks);
    isOver = true;
    return await throughFile(call, rest, limit, checked);
  } catch (error) {
    throw isDrayError(error, "LIMIT_EXCEEDED") ? tooLarge() : error;
  } finally {
    if (!isOver) await chunks.return?.();
  }
};

async function* restOf(held: Uint8Array[], chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* held.splice(0);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}

const throughFile = async <T>(
  { request, context, repository, principal }: Call,
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
  work: (bytes: Uint8Array) => Promise<T>,
): Promise<T> => {
  const { signal, body } = request;
  const upload = await context.uploads.begin(repository, { owner: principal.name });
  // Nobody knows of this session, so nobody could go on with it.
  const forget = (): Promise<void> => upload.cancel().catch(() => {});
  try {
    await upload.append(chunks, { last: true, releases: isReceived(body), limit, signal });
    return await large.run(signal, async () => {
      const bytes = await upload.content();
      await forget();
      return work(bytes);
    });
  } finally {
    await forget();
  }
};
