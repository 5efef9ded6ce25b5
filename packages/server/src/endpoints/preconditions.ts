import { type HttpRequest, header } from "dray/http";
import type { Digest } from "dray/oci";
import { RegistryError } from "../registry-error.ts";

/** Whether a list of entity tags names this digest; weak ones do as well. */
const names = (value: string, digest: Digest): boolean =>
  value.split(",").some((tag) => ["*", `"${digest}"`, `W/"${digest}"`].includes(tag.trim()));

/** `If-None-Match` of a GET: the client has it already. RFC 9110 §13.1.2. */
export const notModified = (request: HttpRequest, digest: Digest): boolean => {
  const value = header(request.headers, "If-None-Match");
  return value !== undefined && names(value, digest);
};

/**
 * `If-Match` and `If-None-Match` of a PUT or DELETE, by which two writers of a tag notice each other. RFC 9110 §13.1.
 * @param current what the name stands for now
 * @throws RegistryError 412
 */
export const preconditionHolds = (request: HttpRequest, name: string, current: Digest | undefined): void => {
  const match = header(request.headers, "If-Match");
  if (match !== undefined && (current === undefined || !names(match, current)))
    throw new RegistryError(412, "DENIED", `${name} is not what If-Match says`, {
      detail: { current: current ?? null },
    });
  const noneMatch = header(request.headers, "If-None-Match");
  if (noneMatch !== undefined && current !== undefined && names(noneMatch, current))
    throw new RegistryError(412, "DENIED", `${name} is there already`, { detail: { current } });
};
