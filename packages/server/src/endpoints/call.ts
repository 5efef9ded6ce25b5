import type { HttpRequest } from "dray/http";
import type { Principal } from "../access/index.ts";
import type { RegistryContext } from "../context.ts";

/** A request on its way through the protocol: allowed, and with all it may need. */
export class Call {
  readonly request: HttpRequest;
  readonly context: RegistryContext;
  readonly principal: Principal;
  readonly #search: string;
  #query: URLSearchParams | undefined;

  constructor(request: HttpRequest, context: RegistryContext, principal: Principal, search: string) {
    this.request = request;
    this.context = context;
    this.principal = principal;
    this.#search = search;
  }

  /** Most requests have none, and of those most endpoints never ask. */
  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search);
    return this.#query;
  }
}
