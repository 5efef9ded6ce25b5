import { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { amazonWire } from "./wire.ts";

type Provider = ReturnType<typeof fromNodeProviderChain>;

/**
 * Who we are, found in the order of Amazon's own tools, and whom we take on from there (`role`). Found once for all accounts; the libraries
 * look again when it ends.
 */
export const identities = (profile: string | undefined): ((region: string, role: string | undefined) => Provider) => {
  const made = new Map<string, Provider>();
  return (region, role) => {
    const key = `${partitionOf(region)} ${role ?? ""}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const clientConfig = { region, requestHandler: amazonWire };
    const own = fromNodeProviderChain({ ...(profile === undefined ? {} : { profile }), clientConfig });
    const provider =
      role === undefined
        ? own
        : fromTemporaryCredentials({
            masterCredentials: own,
            params: { RoleArn: role, RoleSessionName: "dray" },
            clientConfig,
          });
    made.set(key, provider);
    return provider;
  };
};

/** Who we are in one partition is nobody in another. */
const partitionOf = (region: string): string =>
  /^(?:cn|eusc|us-gov|us-iso[a-z]*|eu-iso[a-z]*)(?=-)/.exec(region)?.[0] ?? "";

/** What is said where nobody is logged in. */
export const nobody =
  "no AWS credentials here: set AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or give this machine or pod a role";

/** Whether the whole chain was asked and had nobody. */
export const isNobody = (error: unknown): boolean => {
  const { name, message } = (error ?? {}) as { readonly name?: unknown; readonly message?: unknown };
  return name === "CredentialsProviderError" && /Could not load credentials from any providers/.test(String(message));
};
