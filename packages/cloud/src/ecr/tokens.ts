import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { ECRPUBLICClient, GetAuthorizationTokenCommand as GetPublicTokenCommand } from "@aws-sdk/client-ecr-public";
import type { Credential } from "dray/auth";
import { DrayError } from "dray/errors";
import type { Answer } from "../asking/index.ts";
import type { EcrRegistry } from "../hosts.ts";
import { identities, isNobody, nobody } from "./identity.ts";
import type { EcrOptions } from "./options.ts";
import { amazonWire } from "./wire.ts";

/** What Amazon gives to whoever may pull. */
export interface EcrTokens {
  /** For the private registries of an account in a region. */
  ofAccount(place: EcrRegistry, source: string, signal: AbortSignal): Promise<Answer>;
  /** For the public registry: who has one may pull more. */
  ofPublic(source: string, signal: AbortSignal): Promise<Answer>;
}

/** Where Amazon gives tokens for its public registry, whoever asks from wherever. */
const publicRegion = "us-east-1";

/** Asks Amazon by its own library. Who we are is found once, and anew when that ends. */
export const ecrTokens = ({ profile, roles = {} }: EcrOptions): EcrTokens => {
  const identityIn = identities(profile);
  return {
    ofAccount: async ({ account, region, fips, dualStack }, source, signal) => {
      const client = new ECRClient({
        region,
        requestHandler: amazonWire,
        useFipsEndpoint: fips,
        useDualstackEndpoint: dualStack,
        credentials: identityIn(region, roles[account]),
      });
      return unlessNobody(async () => {
        const command = new GetAuthorizationTokenCommand({ registryIds: [account] });
        const { authorizationData } = await client.send(command, { abortSignal: signal });
        return credentialIn(authorizationData?.[0], source);
      });
    },
    ofPublic: async (source, signal) => {
      const credentials = identityIn(publicRegion, undefined);
      const client = new ECRPUBLICClient({ region: publicRegion, requestHandler: amazonWire, credentials });
      return unlessNobody(async () => {
        const { authorizationData } = await client.send(new GetPublicTokenCommand({}), { abortSignal: signal });
        return credentialIn(authorizationData, source);
      });
    },
  };
};

const unlessNobody = async (work: () => Promise<Credential>): Promise<Answer> => {
  try {
    return await work();
  } catch (error) {
    if (isNobody(error)) return { none: nobody };
    throw error;
  }
};

interface AuthorizationData {
  readonly authorizationToken?: string | undefined;
  readonly expiresAt?: Date | undefined;
}

/** A token is base64 of `AWS:password`. */
const credentialIn = (data: AuthorizationData | undefined, source: string): Credential => {
  const { authorizationToken = "", expiresAt } = data ?? {};
  const text = Buffer.from(authorizationToken, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) throw new DrayError("REGISTRY", "answered without a token");
  return {
    username: text.slice(0, colon),
    password: text.slice(colon + 1),
    source,
    ...(expiresAt !== undefined && !Number.isNaN(expiresAt.getTime()) ? { expiresAt } : {}),
  };
};
