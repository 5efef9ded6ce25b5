import type { IncomingMessage, ServerResponse } from "node:http";
import { DrayError } from "dray/errors";
import type { HeaderPairs, HttpRequest } from "dray/http";
import type { ReceivedBody } from "../response/index.ts";
import type { Context } from "./context.ts";
import { originOf, peerOf } from "./forwarded.ts";

/** One request and its answer on their connection: who waits for the client, whether it is still there. */
export class Exchange {
  readonly context: Context;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client waits for `100 Continue` before it sends its body. */
  waits: boolean;
  #gone: AbortController | undefined;
  /** The tick since when the client is waited for; -1: it is not. */
  waitsSince = -1;

  constructor(context: Context, message: IncomingMessage, response: ServerResponse, waits: boolean) {
    this.context = context;
    this.message = message;
    this.response = response;
    this.waits = waits;
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
    const { open } = this.context;
    if (open.has(this)) return;
    open.add(this);
    if (this.response.destroyed) open.delete(this);
    else this.response.once("close", () => open.delete(this));
  }

  isIdle(tick: number): boolean {
    return this.waitsSince !== -1 && tick - this.waitsSince > 4;
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
  return originOf(this[own].message, this[own].context);
});
const peer = lazily(function (this: Made) {
  return peerOf(this[own].message, this[own].context.proxies);
});
const signal = lazily(function (this: Made) {
  return this[own].signal;
});

/** A request as handlers see it. */
export const requestOf = (exchange: Exchange, hasBody: boolean): HttpRequest => {
  const { method = "GET", url = "/", rawHeaders } = exchange.message;
  const request = { method, target: targetOf(url), headers: pairs(rawHeaders), [own]: exchange };
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

const pairs = (raw: readonly string[]): HeaderPairs => {
  const headers: (readonly [string, string])[] = [];
  for (let i = 0; i < raw.length; i += 2) headers.push([raw[i] as string, raw[i + 1] as string]);
  return headers;
};

const bodyOf = (exchange: Exchange): ReceivedBody => {
  const length = exchange.message.headers["content-length"];
  const body = {
    length: length === undefined ? undefined : Number(length),
    received: 0,
    chunks: { [Symbol.asyncIterator]: () => incoming(exchange, body) },
    // Read away or cut off when the answer is there.
    discard: async () => {},
  };
  return body;
};

/** The bytes as they come. Whoever stops reading may still want to answer, so the connection stays. */
const incoming = (exchange: Exchange, body: { received: number }): AsyncIterator<Uint8Array> => {
  const bytes = exchange.message.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  let begun = false;
  return {
    next: async () => {
      if (!begun) {
        begun = true;
        exchange.proceed();
        exchange.watch();
      }
      exchange.waitsSince = exchange.context.tick;
      try {
        const next = await bytes.next();
        if (next.done !== true) body.received += next.value.byteLength;
        return next;
      } catch (cause) {
        throw new DrayError("NETWORK", "the client went away in the middle of its body", { cause });
      } finally {
        exchange.waitsSince = -1;
      }
    },
    return: async () => {
      await bytes.return?.();
      return { done: true, value: undefined };
    },
  };
};
