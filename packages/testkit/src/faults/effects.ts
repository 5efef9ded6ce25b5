import { DrayError } from "dray/errors";
import type { Handler, HttpRequest, HttpResponse } from "dray/http";
import { unlessAborted } from "dray/internal/async";
import { mapRequestBody, mapResponseBody } from "../body.ts";
import { type HeaderRecord, respond } from "../respond.ts";

/** What happens to a request that a rule caught: anything, with the real handler at hand. */
export type Effect = (request: HttpRequest, next: Handler) => Promise<HttpResponse>;

/** Answers in the handler's place. */
export const answerWith =
  (status: number, headers: HeaderRecord = {}, body = ""): Effect =>
  async (request) =>
    respond(request, status, headers, body);

/** Sends the client elsewhere: to the same target at another origin, or to a whole URL. */
export const redirectTo =
  (to: string, status = 307): Effect =>
  async (request) =>
    respond(request, status, { Location: /^https?:\/\/[^/]+$/.test(to) ? to + request.target : to });

/** Breaks the connection after `bytes` of the answer's body, if it has more. */
export const cutResponse =
  (bytes: number): Effect =>
  async (request, next) =>
    mapResponseBody(await next(request), (chunks) => cutAfter(chunks, bytes));

/** Breaks the connection after `bytes` of the request's body, if it has more: the handler sees a body that fails there. */
export const cutRequest =
  (bytes: number): Effect =>
  async (request, next) => {
    let cut: DrayError | undefined;
    const onCut = (error: DrayError): void => void (cut = error);
    const response = await next(mapRequestBody(request, (chunks) => cutAfter(chunks, bytes, onCut)));
    if (cut === undefined) return response;
    await response.body.discard();
    throw cut;
  };

/** Does everything, and breaks the connection in place of the answer: the client cannot know that it was done. */
export const loseAnswer = (): Effect => async (request, next) => {
  await (await next(request)).body.discard();
  throw connectionCut();
};

/** One byte of the answer's body is wrong, the one at `at`. */
export const corrupt =
  (at = 0): Effect =>
  async (request, next) =>
    mapResponseBody(await next(request), (chunks) => flipped(chunks, at));

/** Other headers than the handler gave: text replaces a value or adds one, `undefined` takes it away. */
export const rewrite =
  (headers: Readonly<Record<string, string | undefined>>): Effect =>
  async (request, next) => {
    const response = await next(request);
    const replaced = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), { name, value }]));
    const kept = response.headers.filter(([name]) => !replaced.has(name.toLowerCase()));
    const added = [...replaced.values()].flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value] as const],
    );
    return { ...response, headers: [...kept, ...added] };
  };

/** Waits for `until` before the request is looked at, or (`"after"`) with the answer in hand: a slow commit. */
export const hold =
  (until: Promise<unknown> | (() => Promise<unknown>), when: "before" | "after" = "before"): Effect =>
  async (request, next) => {
    const wait = (): Promise<unknown> => orGone(typeof until === "function" ? until() : until, request.signal);
    if (when === "before") await wait();
    const response = await next(request);
    if (when === "after") await wait();
    return response;
  };

/** Stops after `bytes` of the answer's body and says nothing more, until the client goes. */
export const stall =
  (bytes: number): Effect =>
  async (request, next) =>
    mapResponseBody(await next(request), (chunks) => stallAfter(chunks, bytes, request.signal));

/** The upload session is gone, now and from then on: the request gets 404 BLOB_UPLOAD_UNKNOWN. */
export const dropSession = (): Effect => async (request, next) => {
  await next({ ...request, body: undefined, method: "DELETE" });
  return next(request);
};

/** Does something first, such as ending all tokens: `run(() => tokens.expireAll())`. */
export const run =
  (action: () => unknown): Effect =>
  async (request, next) => {
    await action();
    return next(request);
  };

const connectionCut = (): DrayError =>
  new DrayError("NETWORK", "the connection was reset", {
    retryable: true,
    cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
  });

async function* cutAfter(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  onCut?: (error: DrayError) => void,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.byteLength;
    if (left >= 0) continue;
    const error = connectionCut();
    onCut?.(error);
    throw error;
  }
}

async function* stallAfter(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.byteLength;
    if (left <= 0) await orGone(new Promise<never>(() => {}), signal);
  }
}

async function* flipped(chunks: AsyncIterable<Uint8Array>, at: number): AsyncGenerator<Uint8Array> {
  let start = 0;
  for await (const chunk of chunks) {
    // A copy: `slice` of a Buffer is the same memory, which is the registry's.
    const changed = new Uint8Array(chunk);
    if (at >= start && at < start + chunk.byteLength) changed[at - start] = (changed[at - start] ?? 0) ^ 0xff;
    start += chunk.byteLength;
    yield changed;
  }
}

/** A wait that a vanishing client ends. */
const orGone = <T>(wait: Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
  unlessAborted(wait, signal).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
