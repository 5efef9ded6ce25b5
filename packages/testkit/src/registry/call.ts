import type { HttpRequest } from "dray/http";
import type { MemoryRegistryOptions } from "./options.ts";
import type { RegistryState } from "./state.ts";

/** A request on its way through the registry, with all it may need. */
export interface Call {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly state: RegistryState;
  readonly options: MemoryRegistryOptions;
  /** A name for a new upload session. */
  readonly newId: () => string;
}
