import type { Credential, Keychain } from "dray/auth";
import { type Environment, isGitLab, isNamed } from "../hosts.ts";
import type { VariableOptions } from "./github.ts";

/**
 * The credentials of a job of GitLab's: for the project's registry (`CI_REGISTRY`) those of `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`, else a deploy
 * token (`CI_DEPLOY_USER`, `CI_DEPLOY_PASSWORD`), else `CI_JOB_TOKEN`; for the dependency proxy (`CI_DEPENDENCY_PROXY_SERVER`) those of
 * `CI_DEPENDENCY_PROXY_USER` and `CI_DEPENDENCY_PROXY_PASSWORD`. They end with the job.
 * @example connect("registry.gitlab.example", { credentials: chain(dockerConfig(), gitlab()) })
 */
export const gitlab =
  ({ env = process.env }: VariableOptions = {}): Keychain =>
  async ({ registry }, options) => {
    if (!isGitLab(registry, env)) return undefined;
    for (const { source, username, password } of pairsFor(registry, env)) {
      if (!username || !password) {
        options?.onTried?.(source, "not set");
        continue;
      }
      options?.onTried?.(source, `password of ${username}`);
      return { username, password, source };
    }
    return undefined;
  };

type Pair = Pick<Credential, "username" | "password" | "source">;

const pairsFor = (registry: string, env: Environment): Pair[] => {
  const pair = (name: string): Pair => ({
    username: env[`${name}_USER`]?.trim(),
    password: env[`${name}_PASSWORD`]?.trim(),
    source: `gitlab (${name}_USER)`,
  });
  const proxy = isNamed(registry, env["CI_DEPENDENCY_PROXY_SERVER"]) ? [pair("CI_DEPENDENCY_PROXY")] : [];
  if (!isNamed(registry, env["CI_REGISTRY"])) return proxy;
  const job = { username: "gitlab-ci-token", password: env["CI_JOB_TOKEN"]?.trim(), source: "gitlab (CI_JOB_TOKEN)" };
  return [pair("CI_REGISTRY"), pair("CI_DEPLOY"), job, ...proxy];
};
