import { type ConfigDocument, entryCredential, lookupKey } from "./config-document.ts";
import { describeCredential } from "./credential.ts";
import type { CredentialHelpers } from "./helper.ts";
import { hostKey, pathsOf } from "./server.ts";
import type { Credential, KeychainOptions, KeychainTarget } from "./types.ts";

/** The helper that keeps the secrets of a host, and the member of the file that says so. */
export const helperFor = (document: ConfigDocument, host: string): { name: string; member: string } | undefined => {
  const own = document.credHelpers.get(hostKey(host));
  if (own !== undefined) return { name: own, member: "credHelpers" };
  return document.credsStore === undefined ? undefined : { name: document.credsStore, member: "credsStore" };
};

/**
 * What one configuration has for a target: entries for a path on the host first, the longest first (podman's way), then
 * the helper of the host, then the helper of all, then the entry of the host.
 */
export const findInConfig = async (
  document: ConfigDocument,
  target: KeychainTarget,
  helpers: CredentialHelpers,
  options: KeychainOptions = {},
): Promise<Credential | undefined> => {
  const { source } = document;
  const host = hostKey(target.registry);
  const inAuths = (path: string): Credential | undefined => {
    for (const entry of document.auths.get(lookupKey(host, path)) ?? []) {
      const credential = entryCredential(entry, source);
      if (credential === undefined) continue;
      options.onTried?.(credential.source, describeCredential(credential));
      return credential;
    }
    return undefined;
  };

  for (const path of pathsOf(target.repository).filter((each) => each !== "")) {
    const credential = inAuths(path);
    if (credential !== undefined) return credential;
  }
  const helper = helperFor(document, host);
  if (helper !== undefined) {
    const credential = await helpers.get(helper.name, host, { ...options, from: `${helper.member} in ${source}` });
    if (credential !== undefined) return credential;
  }
  const credential = inAuths("");
  if (credential === undefined) options.onTried?.(source, `no entry for ${host}`);
  return credential;
};
