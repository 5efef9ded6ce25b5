import type { Body, Content } from "dray/content";
import { type HttpRequest, type HttpResponse, isContent } from "dray/http";

/** The bytes of a request, after telling a waiting client to send them; `undefined` where there are none. */
export const bodyChunks = (request: HttpRequest): AsyncIterable<Uint8Array> | undefined => {
  if (request.body === undefined) return undefined;
  request.proceed?.();
  return chunksOf(request.body, request.signal);
};

/** A request whose body passes through `change` on its way. */
export const mapRequestBody = (
  request: HttpRequest,
  change: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): HttpRequest => {
  const { body } = request;
  if (body === undefined) return request;
  const length = isContent(body) ? body.size : body.length;
  const passing: Body = {
    ...(length === undefined ? {} : { length }),
    // Opened when it is read, not before.
    chunks: { [Symbol.asyncIterator]: () => change(chunksOf(body, request.signal))[Symbol.asyncIterator]() },
    discard: () => (isContent(body) ? Promise.resolve() : body.discard()),
  };
  return { ...request, body: passing };
};

/** A response whose body passes through `change` on its way: by its chunks alone, whatever shorter ways it has. */
export const mapResponseBody = (
  response: HttpResponse,
  change: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): HttpResponse => {
  const { body } = response;
  return {
    ...response,
    body: {
      ...(body.length === undefined ? {} : { length: body.length }),
      chunks: change(body.chunks),
      discard: () => body.discard(),
    },
  };
};

const chunksOf = (body: Body | Content, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> =>
  isContent(body) ? body.open(signal === undefined ? {} : { signal }) : body.chunks;
