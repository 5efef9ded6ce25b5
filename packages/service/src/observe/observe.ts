import type { Body, Content } from "dray/content";
import {
  type Handler,
  type HeaderPairs,
  type HttpRequest,
  type HttpResponse,
  isContent,
  type Middleware,
} from "dray/http";
import type { ServedBody } from "../response/index.ts";
import { factsOf } from "./request-facts.ts";

/** A request that is over, with the body of its answer. */
export interface FinishedRequest {
  readonly request: HttpRequest;
  /** What was answered; where there was no answer 499 if the client had left, 500 if not. */
  readonly status: number;
  /** Of the answer; none where there was none. */
  readonly headers: HeaderPairs;
  /** Bytes of the request's body that were read. */
  readonly received: number;
  /** Bytes of the answer's body that left. */
  readonly sent: number;
  /** Milliseconds, from the request's head to the end of the answer's body. */
  readonly duration: number;
  /** `false`: the body broke off, because its source failed or the client left. */
  readonly whole: boolean;
}

/** Sees a request begin, and gives what is to see it end. Neither may throw. */
export type Observer = (request: HttpRequest) => (finished: FinishedRequest) => void;

/**
 * Shows every request to observers, with the bytes of both bodies: once for all of them, so that a body is wrapped once. Without
 * observers it is nothing at all. A body that lies in memory counts as sent when the handler answers: it is one call to the socket,
 * and not wrapping it keeps that call short.
 */
export const observe = (
  observers: readonly Observer[],
  { now = () => performance.now() }: { now?: () => number } = {},
): Middleware =>
  observers.length === 0 ? (next) => next : (next) => (request) => watch(next, request, observers, now);

const watch = async (
  next: Handler,
  request: HttpRequest,
  observers: readonly Observer[],
  now: () => number,
): Promise<HttpResponse> => {
  const started = now();
  factsOf(request);
  const ends = observers.map((observer) => observer(request));
  let received = 0;
  const end = (status: number, headers: HeaderPairs, sent: number, whole: boolean): void => {
    const finished: FinishedRequest = { request, status, headers, received, sent, duration: now() - started, whole };
    for (const observer of ends) observer(finished);
  };
  const asked =
    request.body === undefined ? request : { ...request, body: metered(request.body, (bytes) => (received += bytes)) };
  let response: HttpResponse;
  try {
    response = await next(asked);
  } catch (error) {
    end(request.signal?.aborted ? 499 : 500, [], 0, false);
    throw error;
  }
  const { status, headers, body }: { status: number; headers: HeaderPairs; body: ServedBody } = response;
  const inMemory = body.bytes?.byteLength ?? (body.length === 0 ? 0 : undefined);
  if (inMemory !== undefined) {
    end(status, headers, inMemory, true);
    return response;
  }
  return { ...response, body: watched(body, (sent, whole) => end(status, headers, sent, whole)) };
};

/** An answer's body that tells how many bytes of it left, once, whichever way it is sent or dropped. */
const watched = (body: ServedBody, ended: (sent: number, whole: boolean) => void): ServedBody => {
  let sent = 0;
  let over = false;
  const end = (whole: boolean): void => {
    if (over) return;
    over = true;
    ended(sent, whole);
  };
  const source = body.pour?.bind(body);
  const pour = async (write: (chunk: Uint8Array) => Promise<void>): Promise<void> => {
    try {
      await source?.(async (chunk) => {
        // Before it is written: its memory may be somebody else's afterwards.
        const size = chunk.byteLength;
        await write(chunk);
        sent += size;
      });
      end(true);
    } finally {
      end(false);
    }
  };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body.chunks) {
        const size = chunk.byteLength;
        yield chunk;
        sent += size;
      }
      end(true);
    } finally {
      end(false);
    }
  }
  return {
    ...(body.length === undefined ? {} : { length: body.length }),
    ...(source === undefined ? {} : { pour }),
    get chunks() {
      return chunks();
    },
    discard: async () => {
      end(false);
      await body.discard();
    },
  };
};

const metered = <B extends Body | Content>(body: B, add: (bytes: number) => void): Body | Content =>
  isContent(body)
    ? {
        ...(body.size === undefined ? {} : { size: body.size }),
        ...(body.handsOver === undefined ? {} : { handsOver: body.handsOver }),
        open: (options) => counted(body.open(options), add),
      }
    : {
        ...(body.length === undefined ? {} : { length: body.length }),
        get chunks() {
          return counted(body.chunks, add);
        },
        discard: () => body.discard(),
      };

async function* counted(chunks: AsyncIterable<Uint8Array>, add: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    add(chunk.byteLength);
    yield chunk;
  }
}
