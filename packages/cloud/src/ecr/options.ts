import type { CloudOptions } from "../asking/index.ts";

/** How Amazon is asked. */
export interface EcrOptions extends CloudOptions {
  /**
   * Roles to take on before asking, by the account of the registry: `{ "123456789012": "arn:aws:iam::123456789012:role/pull" }`. Without one
   * we ask as whoever we are, and the policies of the other account's repositories decide.
   */
  readonly roles?: Readonly<Record<string, string>> | undefined;
  /** The profile of `~/.aws/config`. Default: `AWS_PROFILE`. */
  readonly profile?: string | undefined;
}
