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

/** For text from a client that stands where a digest belongs; `null`: nothing stands there. */
export const badDigest = (text: string | null): RegistryError =>
  new RegistryError(
    400,
    "DIGEST_INVALID",
    text === null
      ? "the query names no digest"
      : `${JSON.stringify(text.slice(0, 200))} is no digest that this registry knows`,
  );

/** For whatever writes while nothing may be written. */
export const readOnlyNow = (): RegistryError =>
  new RegistryError(405, "UNSUPPORTED", "the registry is read-only at the moment");
