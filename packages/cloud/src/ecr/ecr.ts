import type { Keychain } from "dray/auth";
import { Lazy } from "dray/internal/async";
import { asker } from "../asking/index.ts";
import { ecrRegistry, isEcrPublic } from "../hosts.ts";
import type { EcrOptions } from "./options.ts";
import type { EcrTokens } from "./tokens.ts";

/**
 * Credentials of Amazon ECR: private registries in every partition (`ACCOUNT.dkr.ecr.REGION.amazonaws.com`, with FIPS and IPv6 too), and
 * `public.ecr.aws`. The region is taken from the name of the registry. Who we are is found as Amazon's own tools do: variables, SSO, profiles,
 * web identity, containers, the metadata of the machine. One token is asked for each account and region, kept, and renewed before its 12 hours are
 * over; an account that fails is told of and takes nothing from the others.
 * @example connect("123456789012.dkr.ecr.eu-west-1.amazonaws.com", { credentials: chain(dockerConfig(), ecr()) })
 */
export const ecr = (options: EcrOptions = {}): Keychain => {
  const ask = asker(options);
  const loaded = new Lazy<EcrTokens>();
  const tokens = () => loaded.get(async () => (await import("./tokens.ts")).ecrTokens(options));
  return async ({ registry }, asked) => {
    const place = ecrRegistry(registry);
    if (place !== undefined) {
      const { account, region, fips, dualStack } = place;
      const source = `ecr (account ${account} in ${region})`;
      const question = { account: `${account} ${region} ${fips} ${dualStack}`, source, registry, needed: true };
      return ask(question, async (signal) => (await tokens()).ofAccount(place, source, signal), asked);
    }
    if (!isEcrPublic(registry)) return undefined;
    const source = "ecr (public)";
    const question = { account: "public", source, registry };
    return ask(question, async (signal) => (await tokens()).ofPublic(source, signal), asked);
  };
};
