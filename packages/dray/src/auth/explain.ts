import { type CredentialKind, kindOf } from "./credential.ts";
import type { Keychain, KeychainOptions, KeychainTarget } from "./types.ts";

/** How credentials were looked for and which were chosen. Holds no secret: it may be printed. */
export interface Explanation extends KeychainTarget {
  /** Every source that was asked, in order, and what it said. Sources behind the chosen one were not asked. */
  readonly tried: readonly { readonly source: string; readonly said: string }[];
  readonly chosen: {
    readonly kind: CredentialKind;
    readonly source?: string;
    readonly username?: string;
    readonly expiresAt?: Date;
  };
}

/**
 * Looks for credentials as a transfer would and says what happened on the way.
 * @throws whatever the keychain throws, as a transfer would.
 * @example const { tried, chosen } = await explain({ registry: "ghcr.io" }, chain(environment(), dockerConfig()));
 */
export const explain = async (
  target: KeychainTarget,
  keychain: Keychain,
  options: Omit<KeychainOptions, "onTried"> = {},
): Promise<Explanation> => {
  const tried: { source: string; said: string }[] = [];
  const credential = await keychain(target, { ...options, onTried: (source, said) => tried.push({ source, said }) });
  const { source, username, expiresAt } = credential ?? {};
  return {
    ...target,
    tried,
    chosen: {
      kind: kindOf(credential),
      ...(source === undefined ? {} : { source }),
      ...(username === undefined ? {} : { username }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  };
};
