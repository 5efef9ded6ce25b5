import { DrayError, isDrayError, printable } from "dray/errors";
import type { HttpRequest } from "dray/http";
import { errnoOf } from "dray/internal/files";
import type { Notice } from "../notice.ts";
import { RegistryError } from "../registry-error.ts";
import { isOfClient } from "./body-chunks.ts";

/** Troubles of the machine that may be over in a minute. */
const passing = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]);

/**
 * What a client is told of an error: a refusal as it is, a fault of the disk without its paths. A broken connection is no answer at all,
 * so it is thrown on, and whoever holds the socket ends it.
 */
export const refusalOf = (error: unknown, request: HttpRequest, onNotice: (notice: Notice) => void): RegistryError => {
  if (error instanceof RegistryError) return error;
  if (request.signal?.aborted === true || isOfClient(error) || isDrayError(error, "NETWORK")) throw error;
  const said = error instanceof Error ? error.message : String(error);
  if (isDrayError(error, "ABORTED"))
    return new RegistryError(503, "UNAVAILABLE", "the registry is about to stop", { headers: { "Retry-After": "10" } });
  const asked = `${request.method.slice(0, 32)} ${request.target.split("?", 1)[0]?.slice(0, 500)}`;
  onNotice({ level: "error", message: printable(`${asked}: ${said}`) });
  if (error instanceof DrayError && error.code === "DISK")
    return passing.has(errnoIn(error) ?? "")
      ? new RegistryError(503, "UNAVAILABLE", "the registry has no room at the moment", {
          headers: { "Retry-After": "30" },
        })
      : new RegistryError(500, "UNKNOWN", "the registry's storage failed; its operator finds the reason in the log");
  return new RegistryError(500, "UNKNOWN", "the registry failed; its operator finds the reason in the log");
};

/** The system's own error may lie under ours. */
const errnoIn = (error: unknown): string | undefined =>
  errnoOf(error) ?? (error instanceof Error && error.cause !== undefined ? errnoIn(error.cause) : undefined);
