import { randomBytes } from "node:crypto";
import {
  type Handler,
  type HeaderPairs,
  type HttpRequest,
  type HttpResponse,
  header,
  type Middleware,
} from "dray/http";
import { isReceived, type ServedBody } from "../response/index.ts";

/** A request that is over, with the body of its answer. */
export interface FinishedRequest {
  readonly request: HttpRequest;
  /** What was answered; where there was no answer 499 if the client had left, 500 if not. */
  readonly status: number;
  /** Of the answer; none where there was none. */
  readonly headers: HeaderPairs;
  /** Bytes of the request's body that were read from its socket. */
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
 * Shows every request to observers, with the bytes of both bodies: the request's are counted where they are read, the answer's
 * once for all observers. Without observers it is nothing at all. A body that lies in memory counts as sent when the handler answers: it is one call to the socket,
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
  const end = (status: number, headers: HeaderPairs, sent: number, whole: boolean): void => {
    const received = isReceived(request.body) ? request.body.received : 0;
    const finished: FinishedRequest = { request, status, headers, received, sent, duration: now() - started, whole };
    for (const observer of ends) observer(finished);
  };
  let response: HttpResponse;
  try {
    response = await next(request);
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

/** What is found out about a request on its way in, and told by logs on its way out. */
export interface RequestFacts {
  /** The principal's name; `""` for anybody. Not there: it never came so far. */
  principal?: string;
  /** See `requestId`. */
  id?: string;
  /** Why it was not done, as its client was told. */
  refused?: string;
  /** What only the handler knows of what was done, for logs that tell it: what was there before. */
  told?: Readonly<Record<string, unknown>>;
}

/**
 * A request as a server hands it on: with its facts once it is watched. They are the same object for the request and for every copy of
 * it that is made by `{...request}` after that, so handlers below may write `factsOf(request).principal = …` whatever lies between.
 */
export interface ServedRequest extends HttpRequest {
  facts?: RequestFacts;
}

/** The facts of a request, which begin with the first call; `observe` makes that. */
export const factsOf = (request: ServedRequest): RequestFacts => {
  request.facts ??= {};
  return request.facts;
};

const prefix = randomBytes(6).toString("hex");
let last = 0;

/** The name of a request in every log: what a trusted proxy in front called it (`X-Request-Id`, where that is a plain word; of others it does not come here), or a name of our own. */
export const requestId = (request: HttpRequest): string => {
  const facts = factsOf(request);
  facts.id ??= plain(header(request.headers, "x-request-id")) ?? `${prefix}-${(++last).toString(36)}`;
  return facts.id;
};

const plain = (id: string | undefined): string | undefined =>
  id !== undefined && /^[\w.:/+=-]{1,128}$/.test(id) ? id : undefined;
