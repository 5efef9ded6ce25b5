import type { HeaderPairs, HttpRequest, HttpResponse } from "dray/http";
import { encodeJson } from "dray/oci";
import { memoryBody } from "./body.ts";
import { answerOf, emptyBody } from "./respond.ts";

/**
 * The error codes of the distribution specification, and two of CNCF distribution's for what the specification has no word for:
 * `UNAVAILABLE` (503) and `UNKNOWN` (500).
 */
export type RefusalCode =
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
  | "UNAVAILABLE"
  | "UNKNOWN"
  | "UNSUPPORTED";

/** A request that is not done, with the answer that says why. Thrown where the facts are known. */
export class RegistryError extends Error {
  readonly status: number;
  readonly code: RefusalCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(
    status: number,
    code: RefusalCode,
    message: string,
    { headers = {}, detail = null }: { headers?: Readonly<Record<string, string>>; detail?: unknown } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.detail = detail;
  }
}

/** A refusal as an answer: `{errors: [{code, message, detail}]}`. */
export const refused = (
  request: HttpRequest,
  { status, code, message, headers, detail }: RegistryError,
): HttpResponse => {
  const bytes = encodeJson({ errors: [{ code, message, detail }] });
  const pairs: HeaderPairs = [
    ["Content-Type", "application/json"],
    ["Content-Length", String(bytes.byteLength)],
    ...Object.entries(headers),
  ];
  return answerOf(request, status, pairs, request.method === "HEAD" ? emptyBody : memoryBody(bytes));
};
