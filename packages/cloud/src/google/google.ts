import type { Credential, Keychain, KeychainOptions } from "dray/auth";
import { asker } from "../asking/index.ts";
import { isGoogle } from "../hosts.ts";
import type { GoogleOptions } from "./options.ts";

/** Google's keychain, which gives the token by itself as well. */
export interface Google extends Keychain {
  /**
   * The credential for one of Google's registries, whose `password` is an OAuth 2 access token and whose `expiresAt` is its end. `undefined`:
   * it is no registry of theirs, or nobody is logged in.
   * @example const token = await google().token("europe-docker.pkg.dev");
   */
  token(registry: string, options?: KeychainOptions): Promise<Credential | undefined>;
}

/**
 * Credentials of Google's registries: `gcr.io`, `*.gcr.io` and every `*-docker.pkg.dev`. Who we are is found as Google's own tools do: the file that
 * `GOOGLE_APPLICATION_CREDENTIALS` names (a service account's key, workload identity), what `gcloud auth application-default login` has left,
 * the metadata server of a machine or pod; then whoever `gcloud` itself is logged in as. One token is asked for all of them, and renewed before its
 * hour is over.
 * @example connect("europe-docker.pkg.dev", { credentials: chain(dockerConfig(), google()) })
 */
export const google = (options: GoogleOptions = {}): Google => {
  const ask = asker(options);
  const token = async (registry: string, asked?: KeychainOptions): Promise<Credential | undefined> => {
    if (!isGoogle(registry)) return undefined;
    const work = async (signal: AbortSignal) => (await import("./token.ts")).accessToken(options, signal);
    return ask({ account: "default", source: "google", registry }, work, asked);
  };
  return Object.assign(
    ({ registry }: { readonly registry: string }, asked?: KeychainOptions) => token(registry, asked),
    {
      token,
    },
  );
};
