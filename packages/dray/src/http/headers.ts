import type { HeaderPairs, Middleware } from "./types.ts";

/** Adds headers to requests, unless they have them. `origins`: only to these, and to nothing that has been on another host; else to every host on the way. */
export const withHeaders =
  (headers: HeaderPairs, origins?: readonly string[]): Middleware =>
  (next) =>
  (request) => {
    if (origins !== undefined && (!origins.includes(request.origin) || request.context?.foreign === true))
      return next(request);
    const there = new Set(request.headers.map(([name]) => name.toLowerCase()));
    const added = headers.filter(([name]) => !there.has(name.toLowerCase()));
    return next(added.length === 0 ? request : { ...request, headers: [...request.headers, ...added] });
  };

/** The name of a header that no request can carry, with its name or its value; values may be secrets, and are told to nobody. */
export const unsendable = (headers: HeaderPairs): string | undefined =>
  headers.find(([name, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value))?.[0];

/** Headers of requests that are no secret but where they name a scheme for one. */
const usual = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "proxy-authorization",
  "connection",
  "host",
  "user-agent",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "expect",
  "if-match",
  "if-none-match",
  "if-range",
  "range",
  "referer",
  "transfer-encoding",
]);

/** Whether a header is one that is sent by itself. What somebody adds (`X-Api-Key`, `Private-Token`) may be a secret, whatever it is called. */
export const isUsual = (name: string): boolean => usual.has(name.toLowerCase());
