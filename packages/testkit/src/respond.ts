import type { RefusalCode } from "@dray/server";
import { type Body, bytesBody } from "dray/content";
import type { HeaderPairs, HttpRequest, HttpResponse } from "dray/http";

/** Headers as people write them down. */
export type HeaderRecord = Readonly<Record<string, string>>;

export const emptyBody: Body = bytesBody(new Uint8Array(0));

/** An answer to a request. Without a body it says `Content-Length: 0`, unless the status may have none. */
export const respond = (
  request: HttpRequest,
  status: number,
  headers: HeaderRecord | HeaderPairs = {},
  body: Body = emptyBody,
): HttpResponse => {
  const pairs: HeaderPairs = isPairs(headers) ? headers : Object.entries(headers);
  const hasLength = pairs.some(([name]) => name.toLowerCase() === "content-length");
  const length = status === 204 || hasLength || body.length === undefined ? [] : [contentLength(body.length)];
  return { status, headers: [...pairs, ...length], url: request.origin + request.target, body };
};

const isPairs = (headers: HeaderRecord | HeaderPairs): headers is HeaderPairs => Array.isArray(headers);

const contentLength = (length: number): readonly [string, string] => ["Content-Length", String(length)];

/** JSON as an answer. `Content-Type` is `application/json` unless the headers say otherwise. */
export const respondJson = (
  request: HttpRequest,
  status: number,
  value: unknown,
  headers: HeaderRecord = {},
): HttpResponse => {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const all = { "Content-Type": "application/json", ...headers };
  // A HEAD has the headers of the GET and no body.
  return request.method === "HEAD"
    ? respond(request, status, { ...all, "Content-Length": String(bytes.byteLength) })
    : respond(request, status, all, bytesBody(bytes));
};

/** An error in the form of the specification: `{errors: [{code, message, detail}]}`. */
export const refuse = (
  request: HttpRequest,
  status: number,
  code: RefusalCode,
  message: string,
  headers: HeaderRecord = {},
): HttpResponse => respondJson(request, status, { errors: [{ code, message, detail: null }] }, headers);
