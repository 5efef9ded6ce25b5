import { type Body, bytesBody, type Content } from "dray/content";
import { type HttpRequest, type HttpResponse, isContent } from "dray/http";

type Chunks = AsyncIterable<Uint8Array>;

/** The bytes of a request, after telling a waiting client to send them. */
export const bodyChunks = ({ body = bytesBody(new Uint8Array()), proceed, signal }: HttpRequest): Chunks => {
  proceed?.();
  return chunksOf(body, signal);
};

/** A request whose body passes through `change` on its way. */
export const mapRequestBody = (request: HttpRequest, change: (chunks: Chunks) => Chunks): HttpRequest => {
  const { body } = request;
  if (body === undefined) return request;
  const length = isContent(body) ? body.size : body.length;
  const passing: Body = {
    ...(length === undefined ? {} : { length }),
    // Opened when it is read, not before.
    chunks: { [Symbol.asyncIterator]: () => change(chunksOf(body, request.signal))[Symbol.asyncIterator]() },
    discard: async () => (isContent(body) ? undefined : body.discard()),
  };
  return { ...request, body: passing };
};

/** A response whose body passes through `change` on its way: by its chunks alone, whatever shorter ways it has. */
export const mapResponseBody = (response: HttpResponse, change: (chunks: Chunks) => Chunks): HttpResponse => {
  const { body } = response;
  const length = body.length === undefined ? {} : { length: body.length };
  return { ...response, body: { ...length, chunks: change(body.chunks), discard: () => body.discard() } };
};

/** Chunks on their way, each told by its length. */
export async function* counting(chunks: Chunks, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    count(chunk.byteLength);
    yield chunk;
  }
}

const chunksOf = (body: Body | Content, signal: AbortSignal | undefined): Chunks =>
  isContent(body) ? body.open(signal === undefined ? {} : { signal }) : body.chunks;
