import type { Keychain, Registry } from "dray";
import { walkRepositories } from "dray/repositories";

/** When each manifest below a path came to the registry: Google's tell that with their lists, in one request for each repository. */
export const uploadTimes = async (registry: Registry, path: string): Promise<Record<string, string | undefined>> => {
  const times: Record<string, string | undefined> = {};
  for await (const found of walkRepositories(registry, path)) {
    if (found.error !== undefined) throw found.error;
    for (const { digest, uploaded } of found.contents.manifests?.values() ?? [])
      times[`${found.path}@${digest}`] = uploaded?.toISOString();
  }
  return times;
};

/** Google's token for its registries; asked again when it is about to end. */
export const googleKeychain =
  (token: () => Promise<{ token: string; expiresAt: Date }>): Keychain =>
  async ({ registry }) => {
    if (!/(?:^|\.)gcr\.io$|\.pkg\.dev$/.test(registry)) return undefined;
    const { token: password, expiresAt } = await token();
    return { username: "_token", password, expiresAt, source: "Google" };
  };
