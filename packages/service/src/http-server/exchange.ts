import type { IncomingMessage, ServerResponse } from "node:http";
import type { HeaderPairs, HttpRequest } from "dray/http";
import { HttpError, type ReceivedBody } from "../response/index.ts";
import type { Context } from "./context.ts";
import { type End, forwardedFor, forwardedOrigin } from "./forwarded.ts";
import { Incoming } from "./incoming.ts";

/** One request and its answer on their connection: who waits for the client, whether it is still there. */
export class Exchange {
  readonly context: Context;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly end: End;
  /** What the handler is asked. */
  readonly request: HttpRequest;
  /** Whether the client waits for `100 Continue` before it sends its body. */
  waits: boolean;
  #gone: AbortController | undefined;
  #incoming: Incoming | undefined;
  /** The beat since when the client is waited for; -1: it is not. */
  waitsSince = -1;

  /** @param hasBody whether a body comes with the request */
  constructor(
    context: Context,
    message: IncomingMessage,
    response: ServerResponse,
    { end, waits, hasBody }: { readonly end: End; readonly waits: boolean; readonly hasBody: boolean },
  ) {
    this.context = context;
    this.message = message;
    this.response = response;
    this.end = end;
    this.waits = waits;
    this.request = requestOf(this, hasBody);
  }

  /** The bytes of the request's body. */
  get incoming(): Incoming {
    this.#incoming ??= new Incoming(this);
    return this.#incoming;
  }

  /** Aborts when the client vanishes before its answer is complete. Made when first asked for. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      this.#gone = gone;
      const { response } = this;
      if (response.destroyed) {
        if (!response.writableFinished) gone.abort();
      } else
        response.once("close", () => {
          if (!response.writableFinished) gone.abort();
        });
    }
    return this.#gone.signal;
  }

  /** Lets a client that asked first send its body. */
  proceed(): void {
    if (!this.waits) return;
    this.waits = false;
    this.response.writeContinue();
  }

  /** From here until it ends, the client may not be silent for longer than allowed. */
  watch(): void {
    const { open } = this.context.silences;
    if (open.has(this) || this.response.destroyed) return;
    open.add(this);
    this.response.once("close", () => open.delete(this));
  }

  /** Ends the connection at once. */
  cut(): void {
    this.message.socket.destroy();
  }
}

const own: unique symbol = Symbol("exchange");

type Made = { readonly [own]: Exchange };

/**
 * What few handlers look at is made when it is looked at. The accessors are the object's own, so that `{...request}` keeps them,
 * and the same for every request: an object literal with getters costs V8 a hidden class each time.
 */
const lazily = (get: (this: Made) => unknown): PropertyDescriptor => ({ get, enumerable: true, configurable: true });

const origin = lazily(function (this: Made) {
  return originOf(this[own]);
});
const peer = lazily(function (this: Made) {
  return peerOf(this[own]);
});
const signal = lazily(function (this: Made) {
  return this[own].signal;
});

/** A request as handlers see it. */
const requestOf = (exchange: Exchange, hasBody: boolean): HttpRequest => {
  const { method = "GET", url = "/" } = exchange.message;
  const request = { method, target: targetOf(url), headers: pairs(exchange), [own]: exchange };
  Object.defineProperty(request, "origin", origin);
  Object.defineProperty(request, "peer", peer);
  Object.defineProperty(request, "signal", signal);
  if (hasBody) Object.assign(request, { body: bodyOf(exchange), proceed: () => exchange.proceed() });
  return request as unknown as HttpRequest;
};

/** Path and query; of `GET http://host/path`, which a server must take, too. @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2 */
const targetOf = (url: string): string => {
  if (url.startsWith("/")) return url;
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(url)?.[1];
  return rest === undefined ? url : rest.startsWith("/") ? rest : `/${rest}`;
};

/** `https://registry.example`: as the client sees it, if a trusted proxy tells. The host of a whole address counts before the header. */
export const originOf = ({
  message,
  end: { proxies },
  context: { scheme },
}: Pick<Exchange, "message" | "end"> & { readonly context: Pick<Context, "scheme"> }): string => {
  const { url = "/" } = message;
  const host =
    (url.startsWith("/") ? undefined : /^https?:\/\/([^/?#]*)/i.exec(url)?.[1]) ?? message.headers.host ?? "";
  return proxies === undefined ? `${scheme}://${host}` : forwardedOrigin(message, proxies, { scheme, host });
};

/** Who asks: address and port, or the address alone where a trusted proxy tells it; `unix` by a unix socket. */
export const peerOf = ({ message, end: { peer, proxies } }: Pick<Exchange, "message" | "end">): string =>
  (proxies && forwardedFor(message, proxies)) ?? peer;

/** As they were written, but for a name of the request that no trusted proxy gave it: a client must not choose what logs call it. */
const pairs = ({ message, end }: Exchange): HeaderPairs => {
  const { rawHeaders: raw } = message;
  const headers: (readonly [string, string])[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length === 12 && name.toLowerCase() === "x-request-id" && end.proxies === undefined) continue;
    headers.push([name, raw[i + 1] as string]);
  }
  return headers;
};

const bodyOf = (exchange: Exchange): ReceivedBody => {
  const length = exchange.message.headers["content-length"];
  const { incoming } = exchange;
  return {
    length: length === undefined ? undefined : Number(length),
    get received() {
      return incoming.received;
    },
    chunks: { [Symbol.asyncIterator]: () => incoming },
    // Read away or cut off when the answer is there.
    discard: async () => {},
  };
};

interface Found {
  /** Why the request is not served. */
  readonly error?: HttpError;
  readonly hasBody: boolean;
  /** Whether its connection cannot be trusted to begin another request where this one ends. */
  readonly closes: boolean;
}

const fine: Found = { hasBody: false, closes: false };
const withBody: Found = { hasBody: true, closes: false };

/**
 * What the parser lets pass and a server must not: what another server on the way may read differently. Everything a listener
 * needs to know of headers is found in one pass, without making an object of them.
 */
export const malformed = (message: IncomingMessage, longest: number): Found => {
  const { rawHeaders, url = "/" } = message;
  if (message.httpVersionMajor !== 1) return bad("this is HTTP/1.1");
  let [hosts, lengths] = [0, 0];
  let found = fine;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4) {
      if (name.toLowerCase() !== "host") continue;
      if (++hosts > 1 || !authority.test(rawHeaders[i + 1] as string)) return bad("one valid Host header is needed");
    } else if (name.length === 14) {
      if (name.toLowerCase() !== "content-length") continue;
      if (++lengths > 1) return bad("one Content-Length is enough");
      if (rawHeaders[i + 1] !== "0") found = withBody;
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      found = withBody;
      if (message.httpVersionMinor === 0) return bad("HTTP/1.0 has no Transfer-Encoding");
      if (rawHeaders[i + 1]?.toLowerCase() !== "chunked")
        return refuse(new HttpError(501, "UNSUPPORTED", "the only Transfer-Encoding here is chunked"));
    }
  }
  if (url.length > longest)
    return refuse(new HttpError(414, "UNSUPPORTED", `a target of more than ${longest} characters`));
  return found;
};

/** RFC 3986 §3.2 without user information. */
const authority = /^(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

const bad = (message: string): Found => refuse(new HttpError(400, "UNSUPPORTED", message));
const refuse = (error: HttpError): Found => ({ error, hasBody: true, closes: true });
