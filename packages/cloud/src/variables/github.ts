import type { Keychain } from "dray/auth";
import { type Environment, isGitHub } from "../hosts.ts";

/** Where variables are read from. */
export interface VariableOptions {
  /** Default: the environment of the process. */
  readonly env?: Environment | undefined;
}

/**
 * The credential of a job of GitHub Actions for `ghcr.io`: `GITHUB_TOKEN`, which the workflow has to hand over, and `GITHUB_ACTOR`. It ends
 * with the job. A job that only reads needs `packages: read` among its permissions.
 * @example connect("ghcr.io", { credentials: chain(dockerConfig(), github()) })
 */
export const github =
  ({ env = process.env }: VariableOptions = {}): Keychain =>
  async ({ registry }, options) => {
    if (!isGitHub(registry)) return undefined;
    const password = env["GITHUB_TOKEN"]?.trim();
    const source = "github (GITHUB_TOKEN)";
    if (!password) {
      options?.onTried?.(source, "not set");
      return undefined;
    }
    const username = env["GITHUB_ACTOR"]?.trim() || "x-access-token";
    options?.onTried?.(source, `password of ${username}`);
    return { username, password, source, secureOnly: true };
  };
