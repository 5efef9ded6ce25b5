import {
  AzureAuthorityHosts,
  AzureCliCredential,
  CredentialUnavailableErrorName,
  EnvironmentCredential,
  ManagedIdentityCredential,
  type ManagedIdentityCredentialClientIdOptions,
  type TokenCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { DrayError, reasonOf, throwIfAborted } from "dray/errors";
import type { AzureCloud } from "../hosts.ts";
import type { AcrOptions } from "./options.ts";

/** Somebody we may be. */
export interface Identity {
  /** For people: `workload identity`. */
  readonly of: string;
  readonly credential: TokenCredential;
}

/** A token, and whose it is. */
export interface IdentityToken {
  readonly of: string;
  readonly token: string;
}

/** What a token has to be for, in every cloud: a registry, and nothing else of Azure's. */
const scope = "https://containerregistry.azure.net/.default";

const authorities: Readonly<Record<AzureCloud, string>> = {
  public: AzureAuthorityHosts.AzurePublicCloud,
  china: AzureAuthorityHosts.AzureChina,
  government: AzureAuthorityHosts.AzureGovernment,
  germany: AzureAuthorityHosts.AzureGermany,
};

/** Everybody we may be, in the order in which they are tried: what somebody has set for us before what is around us. */
export const identitiesIn = (cloud: AzureCloud, { clientId, tenantId }: AcrOptions): Identity[] => {
  const { env } = process;
  const authority = { authorityHost: env["AZURE_AUTHORITY_HOST"] || authorities[cloud] };
  const client = clientId ?? env["AZURE_CLIENT_ID"];
  const tenant = tenantId ?? env["AZURE_TENANT_ID"];
  const named = client === undefined ? {} : { clientId: client };
  const inTenant = tenant === undefined ? {} : { tenantId: tenant };
  const found: Identity[] = [];
  if (env["AZURE_CLIENT_SECRET"] || env["AZURE_CLIENT_CERTIFICATE_PATH"])
    found.push({ of: "service principal", credential: new EnvironmentCredential(authority) });
  if (env["AZURE_FEDERATED_TOKEN_FILE"] && client && tenant)
    found.push({
      of: "workload identity",
      credential: new WorkloadIdentityCredential({ ...authority, ...named, ...inTenant }),
    });
  found.push({ of: "managed identity", credential: new ManagedIdentityCredential(probing(named)) });
  found.push({ of: "az", credential: new AzureCliCredential({ ...inTenant }) });
  return found;
};

/**
 * The metadata of a machine are looked for first, as the library does where it tries everybody in turn: without, whoever is on no machine of Azure's
 * waits for minutes.
 */
const probing = (named: { readonly clientId?: string }): ManagedIdentityCredentialClientIdOptions =>
  ({ ...named, sendProbeRequest: true }) as ManagedIdentityCredentialClientIdOptions;

/** The token of the first who has one. Whoever is not set up is passed over; whoever is, and fails, ends the search. */
export const firstToken = async (
  identities: readonly Identity[],
  signal: AbortSignal,
): Promise<IdentityToken | undefined> => {
  for (const { of, credential } of identities) {
    try {
      const found = await credential.getToken(scope, { abortSignal: signal });
      if (found !== null) return { of, token: found.token };
    } catch (error) {
      if ((error as { readonly name?: unknown } | undefined)?.name === CredentialUnavailableErrorName) continue;
      throwIfAborted(signal);
      throw new DrayError("DENIED", `${of}: ${refusalIn(error)}`, { cause: error });
    }
  }
  return undefined;
};

/** What Azure says of a refusal stands behind what its library says of that: `AADSTS7000215: Invalid client secret provided.` */
const refusalIn = (error: unknown): string =>
  /AADSTS\d+:[^\r\n]*/.exec(reasonOf(error))?.[0] ?? reasonOf(error).split(/[\r\n]/)[0] ?? "";
