import type { Body } from "dray/content";
import { DrayError } from "dray/errors";
import type { Headers, HttpRequest } from "dray/http";
import type { Exchange } from "./exchange.ts";
import { originOf, peerOf } from "./forwarded.ts";

/**
 * A request as handlers see it. What most handlers never look at is made when it is looked at; the getters are the object's own,
 * so that `{...request}` keeps them.
 */
export const requestOf = (exchange: Exchange, hasBody: boolean): HttpRequest => {
  const { message, context } = exchange;
  const { method = "GET", url = "/" } = message;
  let headers: Headers | undefined;
  const request = {
    method,
    target: targetOf(url),
    get headers(): Headers {
      headers ??= pairs(message.rawHeaders);
      return headers;
    },
    get origin(): string {
      return originOf(message, context);
    },
    get peer(): string {
      return peerOf(message, context.proxies);
    },
    get signal(): AbortSignal {
      return exchange.signal;
    },
  };
  if (!hasBody) return request;
  return Object.assign(request, { body: bodyOf(exchange), proceed: () => exchange.proceed() });
};

/** Path and query; of `GET http://host/path`, which a server must take, too. @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2 */
const targetOf = (url: string): string => {
  if (url.startsWith("/")) return url;
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(url)?.[1];
  return rest === undefined ? url : rest.startsWith("/") ? rest : `/${rest}`;
};

const pairs = (raw: readonly string[]): Headers => {
  const headers: (readonly [string, string])[] = [];
  for (let i = 0; i < raw.length; i += 2) headers.push([raw[i] as string, raw[i + 1] as string]);
  return headers;
};

const bodyOf = (exchange: Exchange): Body => {
  const { message } = exchange;
  const length = message.headers["content-length"];
  return {
    ...(length === undefined ? {} : { length: Number(length) }),
    chunks: { [Symbol.asyncIterator]: () => incoming(exchange) },
    // Read away or cut off when the answer is there.
    discard: async () => {},
  };
};

/** The bytes as they come. Whoever stops reading may still want to answer, so the connection stays. */
const incoming = (exchange: Exchange): AsyncIterator<Uint8Array> => {
  const bytes = exchange.message.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  let begun = false;
  return {
    next: async () => {
      if (!begun) {
        begun = true;
        exchange.proceed();
        exchange.watch();
      }
      exchange.waiting();
      try {
        return await bytes.next();
      } catch (cause) {
        throw new DrayError("NETWORK", "the client went away in the middle of its body", { cause });
      } finally {
        exchange.moved();
      }
    },
    return: async () => {
      await bytes.return?.();
      return { done: true, value: undefined };
    },
  };
};
