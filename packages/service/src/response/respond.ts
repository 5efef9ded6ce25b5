import { type Body, bytesBody, type Content } from "dray/content";
import type { HeaderPairs, HttpRequest, HttpResponse, Middleware } from "dray/http";
import { encodeJson } from "dray/oci";

export interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly detail?: unknown;
  readonly others?: HttpError["others"];
}

/** A request that is not done, with the answer that says why. Thrown where the facts are known, made an answer by `withError`. */
export class HttpError<Code extends string = string> extends Error {
  readonly status: number;
  /** For programs, where the status says too little: `UNSUPPORTED`. */
  readonly code: Code;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;
  /** What else is wrong in the same way. */
  readonly others: readonly { readonly message: string; readonly detail: unknown }[];

  constructor(
    status: number,
    code: Code,
    message: string,
    { headers = {}, detail = null, others = [] }: HttpErrorOptions = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.detail = detail;
    this.others = others;
  }
}

/** A body that a server sends. Whoever knows only `Body` reads `chunks`; a socket takes the shorter ways where they are. */
export interface ServedBody extends Body {
  /** All of it, where it lies in memory. Nobody may change or transfer it. */
  readonly bytes?: Uint8Array;
  /**
   * Sends all of it through `write`, which resolves when the bytes have left; their memory is used again then. Rejects where the
   * source fails or `write` does. Holds nothing before it is called nor after it settles.
   */
  readonly pour?: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>;
}

/** A body in memory. Read by `chunks` it is a copy: a client in this process may transfer what it was given. */
export const memoryBody = (bytes: Uint8Array): ServedBody => ({
  length: bytes.byteLength,
  bytes,
  get chunks() {
    return bytesBody(bytes.slice()).chunks;
  },
  discard: async () => {},
});

/** The body of a request as it comes from a socket. A chunk that fills its buffer is its reader's own, memory and all. */
export interface ReceivedBody extends Body {
  /** Bytes that were read of it. */
  readonly received: number;
}

/** Whether a body comes from a socket, and not from whoever calls a handler in this process. */
export const isReceived = (body: Body | Content | undefined): body is ReceivedBody =>
  body !== undefined && "received" in body;

export const emptyBody: ServedBody = memoryBody(new Uint8Array(0));

export const answerOf = (
  request: HttpRequest,
  status: number,
  headers: HeaderPairs,
  body: ServedBody,
): HttpResponse => ({
  status,
  headers,
  url: request.origin + request.target,
  body,
});

/** An answer without a body. */
export const bare = (
  request: HttpRequest,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => {
  const pairs = Object.entries(headers);
  const none = status === 204 || status === 304;
  return answerOf(request, status, none ? pairs : [...pairs, ["Content-Length", "0"]], emptyBody);
};

/** Bytes in memory as an answer. `Content-Length` is theirs, with HEAD too. */
export const withBytes = (
  request: HttpRequest,
  status: number,
  headers: HeaderPairs,
  bytes: Uint8Array,
): HttpResponse =>
  answerOf(
    request,
    status,
    [...headers, ["Content-Length", String(bytes.byteLength)]],
    request.method === "HEAD" ? emptyBody : memoryBody(bytes),
  );

/** JSON as an answer. */
export const withJson = (
  request: HttpRequest,
  value: unknown,
  headers: HeaderPairs = [],
  mediaType = "application/json",
): HttpResponse => withBytes(request, 200, [["Content-Type", mediaType], ...headers], encodeJson(value));

/** An error as an answer: `{errors: [{code, message, detail}]}`. */
export const withError = (request: HttpRequest, error: HttpError): HttpResponse => {
  const { status, code, message, headers, detail, others } = error;
  const errors = [{ message, detail }, ...others].map((one) => ({ code, ...one }));
  return withBytes(
    request,
    status,
    [["Content-Type", "application/json"], ...Object.entries(headers)],
    encodeJson({ errors }),
  );
};

export type WantedHeaders = Readonly<Record<string, readonly string[]>>;

/**
 * Headers of every answer, as the operator wants them (`http.headers`); others may be set at any time. They take the place of what an
 * answer says under the same name: two values for what may have one would be none to a browser.
 */
export const withHeaders = (headers: { wanted: WantedHeaders }): Middleware => {
  let seen: WantedHeaders | undefined;
  let pairs: HeaderPairs = [];
  let names = new Set<string>();
  let lengths = new Set<number>();
  const replaced = ([name]: readonly [string, string]): boolean =>
    lengths.has(name.length) && names.has(name.toLowerCase());
  return (next) => async (request) => {
    const { wanted } = headers;
    if (wanted !== seen) {
      seen = wanted;
      pairs = Object.entries(wanted).flatMap(([name, values]) => values.map((value) => [name, value] as const));
      names = new Set(Object.keys(wanted).map((name) => name.toLowerCase()));
      lengths = new Set([...names].map((name) => name.length));
    }
    const response = await next(request);
    if (names.size === 0) return response;
    const { headers: own } = response;
    const kept = own.some(replaced) ? own.filter((pair) => !replaced(pair)) : own;
    return Object.assign(response, { headers: [...pairs, ...kept] });
  };
};
