import type { RefusalCode } from "@dray/server";
import { bare, HttpError, withBytes, withError } from "@dray/service/response";
import type { HttpRequest, HttpResponse } from "dray/http";

/** Headers as people write them down. */
export type HeaderRecord = Readonly<Record<string, string>>;

/** An answer of text to a request. */
export const respond = (request: HttpRequest, status: number, headers: HeaderRecord = {}, text = ""): HttpResponse =>
  text === ""
    ? bare(request, status, headers)
    : withBytes(request, status, Object.entries(headers), new TextEncoder().encode(text));

/** An error in the form of the specification. */
export const refuse = (
  request: HttpRequest,
  status: number,
  code: RefusalCode,
  message: string,
  headers: HeaderRecord = {},
): HttpResponse => withError(request, new HttpError(status, code, message, { headers }));

/** Path and query of a raw target, the query decoded. */
export const splitTarget = (target: string): { path: string; query: URLSearchParams } => {
  const [path = "", ...query] = target.split("?");
  return { path, query: new URLSearchParams(query.join("?")) };
};
