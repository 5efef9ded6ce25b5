import { HttpError } from "@dray/service/response";

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

/** A request that a registry does not do, with one of the specification's codes. */
export class RegistryError extends HttpError<RefusalCode> {}
