import type { Keychain } from "dray";

/** GitHub's registry with the token that its workflows have. */
export const githubKeychain =
  (env: NodeJS.ProcessEnv = process.env): Keychain =>
  async ({ registry }) => {
    const { GITHUB_TOKEN: password, GITHUB_ACTOR: username = "unset" } = env;
    return registry === "ghcr.io" && password ? { username, password, source: "GITHUB_TOKEN" } : undefined;
  };
