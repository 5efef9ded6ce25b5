import type { HeaderPairs, HttpRequest, HttpResponse } from "dray/http";
import { encodeJson } from "dray/oci";
import { memoryBody, type ServedBody } from "./body.ts";
import type { HttpError } from "./http-error.ts";

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
export const withError = (request: HttpRequest, { status, code, message, headers, detail }: HttpError): HttpResponse =>
  withBytes(
    request,
    status,
    [["Content-Type", "application/json"], ...Object.entries(headers)],
    encodeJson({ errors: [{ code, message, detail }] }),
  );
