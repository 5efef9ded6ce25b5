import type { Keychain } from "dray/auth";
import { Lazy } from "dray/internal/async";
import { asker } from "../asking/index.ts";
import { azureCloud } from "../hosts.ts";
import type { AcrOptions } from "./options.ts";
import type { AcrTokens } from "./tokens.ts";

/**
 * Credentials of Azure's registries in every cloud of theirs: `*.azurecr.io`, `.cn`, `.us`, `.de`. Who we are is found in this order: a service
 * principal (`AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE_PATH`), workload identity
 * (`AZURE_FEDERATED_TOKEN_FILE`), the managed identity of the machine, and whoever `az` is logged in as. Their token is exchanged at the registry for
 * a refresh token of its own, which lasts three hours and is renewed before that.
 * @example connect("team.azurecr.io", { credentials: chain(dockerConfig(), acr()) })
 */
export const acr = (options: AcrOptions = {}): Keychain => {
  const ask = asker(options);
  const loaded = new Lazy<AcrTokens>();
  return async ({ registry }, asked) => {
    const cloud = azureCloud(registry);
    if (cloud === undefined) return undefined;
    const source = `acr (${registry})`;
    const work = async (signal: AbortSignal) => {
      const tokens = await loaded.get(async () => (await import("./tokens.ts")).acrTokens(options));
      return tokens.ofRegistry(registry, cloud, signal);
    };
    return ask({ account: registry, source, registry }, work, asked);
  };
};
