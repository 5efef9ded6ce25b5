import { tokenExpiry } from "dray/auth";
import { SingleFlight } from "dray/internal/async";
import type { Answer } from "../asking/index.ts";
import type { AzureCloud } from "../hosts.ts";
import { exchanged } from "./exchange.ts";
import { firstToken, type Identity, type IdentityToken, identitiesIn } from "./identity.ts";
import type { AcrOptions } from "./options.ts";

/** What Azure's registries give to whoever may pull. */
export interface AcrTokens {
  ofRegistry(registry: string, cloud: AzureCloud, signal: AbortSignal): Promise<Answer>;
}

/** How long a refresh token of a registry lives that does not say so. Milliseconds. */
const usualLife = 3 * 3_600_000;

const nobody =
  "nobody is logged in to Azure here: set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, run az login, or give this machine or pod an identity";

/** Asks Azure by its own library: for one token in each of its clouds, which is kept there, and exchanged at each registry. */
export const acrTokens = (options: AcrOptions): AcrTokens => {
  const { now = Date.now } = options;
  const identities = new Map<AzureCloud, readonly Identity[]>();
  const flights = new SingleFlight<IdentityToken | undefined>();
  return {
    ofRegistry: async (registry, cloud, signal) => {
      const known = identities.get(cloud) ?? identitiesIn(cloud, options);
      identities.set(cloud, known);
      const found = await flights.run(cloud, (flight) => firstToken(known, flight.signal), signal);
      if (found === undefined) return { none: nobody };
      const identityToken = await exchanged(registry, found.token, signal);
      return {
        identityToken,
        source: `acr (${found.of})`,
        expiresAt: tokenExpiry(identityToken) ?? new Date(now() + usualLife),
      };
    },
  };
};
