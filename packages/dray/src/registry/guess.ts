import { throwIfAborted } from "../errors.ts";
import type { Handler, HttpRequest, HttpResponse } from "../http/index.ts";
import type { Endpoint } from "./endpoint.ts";

/** Asks by the scheme that is likelier, and tells what was answered where that was right; `undefined`: ask as ever. */
export type Guess = (request: Omit<HttpRequest, "origin">) => Promise<HttpResponse | undefined>;

/**
 * The first questions to a registry that may speak https or http, put while it is found out which: on a long line the look takes as
 * long as the answer. Only what reads, and without credentials: an answer counts that tells what is there or that it is not.
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
    if (!(await mayGuess())) return undefined;
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
    if (found === origin && (response?.status === 200 || response?.status === 404)) return response;
    await response?.body.discard();
    return undefined;
  };
};
