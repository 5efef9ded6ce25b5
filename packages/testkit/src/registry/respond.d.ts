import type { Body, Headers, HttpRequest, HttpResponse } from "dray/http";
/** The error codes of the distribution specification. */
export type RegistryErrorCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNSUPPORTED";
/** Headers as people write them down. */
export type HeaderRecord = Readonly<Record<string, string>>;
export declare const emptyBody: Body;
/** An answer to a request. Without a body it says `Content-Length: 0`, unless the status may have none. */
export declare const respond: (
  request: HttpRequest,
  status: number,
  headers?: HeaderRecord | Headers,
  body?: Body,
) => HttpResponse;
/** JSON as an answer. `Content-Type` is `application/json` unless the headers say otherwise. */
export declare const respondJson: (
  request: HttpRequest,
  status: number,
  value: unknown,
  headers?: HeaderRecord,
) => HttpResponse;
/** An error in the form of the specification: `{errors: [{code, message, detail}]}`. */
export declare const refuse: (
  request: HttpRequest,
  status: number,
  code: RegistryErrorCode,
  message: string,
  headers?: HeaderRecord,
) => HttpResponse;
