import { isReceived } from "@dray/service/response";
import { isDrayError } from "dray/errors";
import { isContent } from "dray/http";
import { RegistryError } from "../registry-error.ts";
import type { Call } from "./call.ts";

/**
 * Gets a pushed manifest that may be large, and works on it. While it comes it is an upload, as a blob is, and lies in a file once it
 * grows: however many clients stop in the middle, they hold little memory, and whoever sends all of it does not wait for them.
 * @throws RegistryError 413, SIZE_INVALID, MANIFEST_INVALID without a body
 */
export const withLargeManifest = async <T>(call: Call, work: (bytes: Uint8Array) => Promise<T>): Promise<T> => {
  const { request, context, repository, principal } = call;
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
  const { signal } = request;
  const upload = await context.uploads.begin(repository, { owner: principal.name });
  // Nobody knows of this session, so nobody could go on with it.
  const forget = (): Promise<void> => upload.cancel().catch(() => {});
  try {
    const size = await upload.append(call.chunks(), { last: true, releases: isReceived(body), limit, signal });
    const held = await context.whole.take(size, signal);
    try {
      const bytes = await upload.content();
      await forget();
      return await checked(bytes);
    } finally {
      held.free();
    }
  } catch (error) {
    throw isDrayError(error, "LIMIT_EXCEEDED") ? tooLarge() : error;
  } finally {
    await forget();
  }
};
