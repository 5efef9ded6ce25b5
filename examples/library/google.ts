import { collect, type Keychain, type Registry } from "dray";

/** What Google's registries tell of a repository besides the names of its tags. */
export interface GoogleList {
  readonly child: readonly string[];
  readonly manifest: Readonly<Record<string, { readonly tag: readonly string[]; readonly timeUploadedMs: string }>>;
}

/** Every manifest and every repository below, in one request. */
export const googleList = async (registry: Registry, repository: string): Promise<GoogleList> => {
  const { body } = await registry.request({ target: `/v2/${repository}/tags/list?n=10000`, repository });
  return JSON.parse(new TextDecoder().decode(await collect(body.chunks, 64 * 1024 ** 2, "the list"))) as GoogleList;
};

/** Google's token for its registries; asked again when it is about to end. */
export const googleKeychain =
  (token: () => Promise<{ token: string; expiresAt: Date }>): Keychain =>
  async ({ registry }) => {
    if (!/(?:^|\.)gcr\.io$|\.pkg\.dev$/.test(registry)) return undefined;
    const { token: password, expiresAt } = await token();
    return { username: "_token", password, expiresAt, source: "Google" };
  };
