/** What proves who we are to one registry. Either a name and password, or one of the two tokens. */
export interface Credential {
  readonly username?: string;
  readonly password?: string;
  /** An OAuth2 refresh token: exchanged for access tokens by POST. */
  readonly identityToken?: string;
  /** Sent as it is: `Authorization: Bearer`. */
  readonly registryToken?: string;
  /** Where it came from, for people: a file, a variable, a helper. Never the secret. */
  readonly source: string;
  /** When it ends, where known. */
  readonly expiresAt?: Date;
}

/**
 * Finds the credential for a registry, or for one repository on it. `undefined`: none here, ask the next; anonymous in the end.
 * `fresh`: what was handed out before has been refused; do not answer from a cache.
 */
export type Keychain = (
  target: { readonly registry: string; readonly repository?: string },
  options?: { readonly signal?: AbortSignal; readonly fresh?: boolean },
) => Promise<Credential | undefined>;
