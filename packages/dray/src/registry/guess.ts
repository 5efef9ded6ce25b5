import { throwIfAborted } from "../errors.ts";
import type { Handler, HttpRequest, HttpResponse } from "../http/index.ts";
import type { Endpoint } from "./endpoint.ts";

/** Asks by the scheme that is likelier, and tells what was answered where that was right; `undefined`: ask as ever. */
export type Guess = (request: Omit<HttpRequest, "origin">) => Promise<HttpResponse | undefined>;

/** What of a question's headers everybody may read. What a caller adds may be a secret. */
const harmless = /^(?:accept|accept-encoding|range|if-match|if-none-match)$/i;

/**
 * The first questions to a registry that may speak https or http, put while it is found out which: on a long line the look takes as
 * long as the answer. Only what reads, and without credentials: an answer counts that tells what is there. That nothing is there may
 * be what strangers hear, and counts for a look-up alone.
 * @param origin the likelier one
 * @param send the wire, with nothing on it that adds a secret
 * @param mayGuess whether requests go as they are
 */
export const guessing = (
  findOrigin: Endpoint,
  { origin, send, mayGuess }: { origin: string; send: Handler; mayGuess: () => Promise<boolean> },
): Guess => {
  let found: string | undefined;
  return async (request) => {
    if (found !== undefined || (request.method !== "GET" && request.method !== "HEAD")) return undefined;
    if (!request.headers.every(([name]) => harmless.test(name)) || !(await mayGuess())) return undefined;
    const wrong = new AbortController();
    const { signal, context } = request;
    const asked = send({
      ...request,
      origin,
      context: { ...context, retry: false },
      signal: signal === undefined ? wrong.signal : AbortSignal.any([signal, wrong.signal]),
    }).catch(() => undefined);
    try {
      found = await findOrigin(signal);
    } finally {
      if (found !== origin) wrong.abort();
    }
    const response = await asked;
    throwIfAborted(signal);
    const counts = response?.status === 200 || (response?.status === 404 && context?.lookUp === true);
    if (found === origin && counts) return response;
    await response?.body.discard();
    return undefined;
  };
};
