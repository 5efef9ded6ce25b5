/** What proves who we are to one registry. Either a name and password, or one of the two tokens; none of them means: stay anonymous. */
export interface Credential {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** An OAuth2 refresh token: exchanged for access tokens by POST. */
  readonly identityToken?: string | undefined;
  /** Sent as it is: `Authorization: Bearer`. */
  readonly registryToken?: string | undefined;
  /** Where it came from, for people: a file, a variable, a helper. Never the secret. */
  readonly source: string;
  /** When it ends, where known. */
  readonly expiresAt?: Date | undefined;
  /**
   * Nobody named it for this registry: it was found where the program runs, as a job's token. Where `whenRefused` says nothing else, a read
   * for which it is refused goes on without it.
   */
  readonly ambient?: boolean | undefined;
  /** It is for a registry that speaks https alone. Over plain http, where anybody may be called so, it is not sent. */
  readonly secureOnly?: boolean | undefined;
  /** More for the same registry: each is tried where those before it are refused, as a kubelet does with pull secrets. */
  readonly others?: readonly Credential[] | undefined;
}

/** A registry, or one repository on it, that a credential is wanted for. */
export interface KeychainTarget {
  readonly registry: string;
  readonly repository?: string | undefined;
}

/** How a keychain is asked. */
export interface KeychainOptions {
  readonly signal?: AbortSignal | undefined;
  /** What was handed out before has been refused; do not answer from a cache. */
  readonly fresh?: boolean | undefined;
  /** Hears of every source that was asked and what it said, in order. Never the secret. */
  readonly onTried?: (source: string, said: string) => void;
}

/**
 * Finds the credential for a registry, or for one repository on it. `undefined`: none here, ask the next; anonymous in the end. An
 * implementation is asked before each request that needs it and keeps what is dear to find, unless `fresh`; it ends soon after its
 * signal does. What cannot be read or understood is thrown (`CONFIG_INVALID`), never passed over: a request would go out with fewer
 * rights than somebody meant. It may not put a secret into a message, a `source` or what `onTried` hears.
 * @throws DrayError `CONFIG_INVALID`, `ABORTED`
 * @example const keychain: Keychain = async ({ registry }) => registry === "ghcr.io" ? { username: "me", password: await secret(), source: "vault" } : undefined;
 */
export type Keychain = (target: KeychainTarget, options?: KeychainOptions) => Promise<Credential | undefined>;
