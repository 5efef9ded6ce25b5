import { resolve } from "node:path";
import { DrayError, throwIfAborted } from "dray/errors";
import {
  type AuthClient,
  BaseExternalAccountClient,
  Compute,
  GoogleAuth,
  Impersonated,
  JWT,
  UserRefreshClient,
} from "google-auth-library";
import type { Answer } from "../asking/index.ts";
import { gcloudToken } from "./gcloud.ts";
import type { GoogleOptions } from "./options.ts";

/** What a registry needs, reading and writing. */
const scope = "https://www.googleapis.com/auth/cloud-platform";

/** What Google's registries take as the user's name beside an access token. */
const username = "oauth2accesstoken";

const nobody =
  "nobody is logged in to Google here: set GOOGLE_APPLICATION_CREDENTIALS, run gcloud auth application-default login, or give this machine or pod a service account";

/** The access token of whoever we are, by the library's order and then by `gcloud`. */
export const accessToken = async ({ keyFile }: GoogleOptions, signal: AbortSignal): Promise<Answer> => {
  const client = await clientOf(keyFile);
  throwIfAborted(signal);
  if (client === undefined) return (await gcloudToken(username, signal)) ?? { none: nobody };
  const { token } = await client.getAccessToken();
  if (!token) throw new DrayError("REGISTRY", "answered without a token");
  const { expiry_date } = client.credentials;
  return {
    username,
    password: token,
    source: `google (${kindOf(client)})`,
    ...(typeof expiry_date === "number" && Number.isFinite(expiry_date) ? { expiresAt: new Date(expiry_date) } : {}),
  };
};

/** Whoever is set up; `undefined` where nobody is. What is set up and makes no sense is thrown. */
const clientOf = async (keyFile: string | undefined): Promise<AuthClient | undefined> => {
  const auth = new GoogleAuth({ scopes: [scope] });
  try {
    // Its own option for a file prints a line to the program's standard error each time.
    return await (keyFile === undefined
      ? auth.getClient()
      : auth._getApplicationCredentialsFromFilePath(resolve(keyFile)));
  } catch (error) {
    const { message } = (error ?? {}) as { readonly message?: unknown };
    if (/Could not load the default credentials/.test(String(message))) return undefined;
    throw error;
  }
};

const kindOf = (client: AuthClient): string => {
  if (client instanceof Compute) return "metadata server";
  if (client instanceof UserRefreshClient) return "application-default login";
  if (client instanceof JWT) return "key of a service account";
  if (client instanceof Impersonated) return "service account taken on";
  return client instanceof BaseExternalAccountClient ? "workload identity" : "application default credentials";
};
