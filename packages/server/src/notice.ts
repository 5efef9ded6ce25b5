import type { Notice as ServiceNotice } from "@dray/service/observe";

/** What an operator should know: failed writes of the metadata, damaged content, what was collected. */
export interface Notice extends ServiceNotice {
  readonly repository?: string;
  readonly digest?: string;
}
