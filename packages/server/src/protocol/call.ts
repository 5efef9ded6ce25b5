import type { HttpRequest } from "dray/http";
import type { Principal } from "../access/types.ts";
import type { Parts } from "../registry/parts.ts";

/** A request on its way through the protocol: allowed, and with all it may need. */
export interface Call {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly principal: Principal;
  readonly parts: Parts;
}
