import type { Body } from "../content/index.ts";
import { aborted, isDrayError } from "../errors.ts";
import { transportError } from "./transport-error.ts";
import type { Handler, HttpRequest } from "./types.ts";

/**
 * A connection from elsewhere (`fetch`, an agent of one's own) as one of ours: what it throws is an error of the transport, which may pass, or
 * the interruption where the signal ended it. Errors of ours stay as they are.
 */
export const pluggedConnection =
  (connection: Handler): Handler =>
  async (request) => {
    try {
      const response = await connection(request);
      return { ...response, body: inOurWords(response.body, request) };
    } catch (error) {
      throw restated(error, request);
    }
  };

const inOurWords = (body: Body, request: HttpRequest): Body => ({
  length: body.length,
  chunks: watched(body, request),
  discard: () => body.discard(),
});

async function* watched(body: Body, request: HttpRequest): AsyncGenerator<Uint8Array> {
  try {
    yield* body.chunks;
  } catch (error) {
    throw restated(error, request);
  }
}

const restated = (error: unknown, { origin, signal }: HttpRequest): unknown => {
  if (isDrayError(error)) return error;
  if (signal?.aborted === true) return aborted(signal);
  return transportError(systemError(error), { host: origin.replace(/^[a-z]+:\/\//, ""), answeredBefore: true });
};

/** What lies below: `fetch` says "fetch failed", and why in its cause. */
const systemError = (error: unknown): unknown => {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return typeof code !== "string" && typeof cause === "object" && cause !== null ? systemError(cause) : error;
};
