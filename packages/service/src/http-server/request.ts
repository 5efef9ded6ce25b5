import { type Body, transferable } from "dray/content";
import { DrayError } from "dray/errors";
import type { HeaderPairs, HttpRequest } from "dray/http";
import type { Exchange } from "./exchange.ts";
import { originOf, peerOf } from "./forwarded.ts";

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
        const next = await bytes.next();
        // Bun gives each chunk memory of its own, up to half a megabyte.
        return next.done === true ? next : { done: false, value: transferable(next.value) };
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
