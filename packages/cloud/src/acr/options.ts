import type { CloudOptions } from "../asking/index.ts";

/** How Azure is asked. */
export interface AcrOptions extends CloudOptions {
  /** Client id of the identity, where a machine or pod has several. Default: `AZURE_CLIENT_ID`. */
  readonly clientId?: string | undefined;
  /** Tenant of the identity. Default: `AZURE_TENANT_ID`. */
  readonly tenantId?: string | undefined;
}
