import type { Headers, HttpRequest, HttpResponse } from "dray/http";
import { encodeJson } from "dray/oci";
import { memoryBody, type ServedBody } from "./body.ts";

export const emptyBody: ServedBody = memoryBody(new Uint8Array(0));

/** An answer without a body. */
export const bare = (
  request: HttpRequest,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({
  status,
  headers:
    status === 204 || status === 304 ? Object.entries(headers) : [...Object.entries(headers), ["Content-Length", "0"]],
  url: request.target,
  body: emptyBody,
});

/** Bytes in memory as an answer. `Content-Length` is theirs, with HEAD too. */
export const withBytes = (request: HttpRequest, status: number, headers: Headers, bytes: Uint8Array): HttpResponse => ({
  status,
  headers: [...headers, ["Content-Length", String(bytes.byteLength)]],
  url: request.target,
  body: request.method === "HEAD" ? emptyBody : memoryBody(bytes),
});

/** JSON as an answer. */
export const withJson = (
  request: HttpRequest,
  value: unknown,
  headers: Headers = [],
  mediaType = "application/json",
): HttpResponse => withBytes(request, 200, [["Content-Type", mediaType], ...headers], encodeJson(value));
