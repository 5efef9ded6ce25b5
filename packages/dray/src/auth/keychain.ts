import { type Flight, LruCache, SingleFlight } from "../async/index.ts";
import { defined } from "../defined.ts";
import { throwIfAborted } from "../errors.ts";
import { type CredentialKind, describeCredential, kindOf } from "./credential.ts";
import { covers, parseServer, type Server } from "./server.ts";
import type { Credential, Keychain, KeychainOptions, KeychainTarget } from "./types.ts";

/**
 * Asks one keychain after the other; the first credential wins. An error ends the search: a source that is broken must
 * not be passed over in silence.
 * @example const keychain = chain(environment(), dockerConfig());
 */
export const chain =
  (...keychains: readonly Keychain[]): Keychain =>
  async (target, options) => {
    for (const keychain of keychains) {
      throwIfAborted(options?.signal);
      const credential = await keychain(target, options);
      if (credential !== undefined) return credential;
    }
    return undefined;
  };

/** Stays anonymous, and ends a chain: nothing behind it is asked. */
export const anonymous: Keychain = async (_target, options) => {
  options?.onTried?.("anonymous", "no credentials wanted");
  return { source: "anonymous" };
};

/**
 * One credential that is known already, as from flags of a command. `server` binds it to `host[:port][/path]`, so that
 * it never goes to another registry than the one it was meant for.
 * @example staticCredential({ username: "me", password, source: "--username" }, "ghcr.io")
 */
export const staticCredential = (credential: Credential, server?: string): Keychain => {
  const bound: Server | undefined = server === undefined ? undefined : parseServer(server);
  return async (target, options) => {
    if (server !== undefined && (bound === undefined || !covers(bound, target))) {
      options?.onTried?.(credential.source, `only for ${server}`);
      return undefined;
    }
    options?.onTried?.(credential.source, describeCredential(credential));
    return credential;
  };
};

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
  return { ...target, tried, chosen: defined({ kind: kindOf(credential), source, username, expiresAt }) };
};

/** Milliseconds for which "none" is believed: somebody may log in while a long-lived process runs. */
const noneHolds = 10_000;
/** Milliseconds before its end at which a credential is asked for anew. */
const margin = 60_000;
/** Targets remembered at most. */
const mostTargets = 1000;

/**
 * Caching keychain: remembers answers, so that not every request reads files or calls a cloud. Questions asked at the same
 * time are asked once. `fresh` goes through, and so does a question for a credential that is about to end.
 */
export const cachingKeychain = (keychain: Keychain, now: () => number): Keychain => {
  const answers = new LruCache<string, { readonly credential: Credential | undefined; readonly until: number }>(
    mostTargets,
  );
  const flights = new SingleFlight<Credential | undefined>();
  return async (target, { signal, fresh = false } = {}) => {
    const key = `${target.registry} ${target.repository ?? ""}`;
    const known = answers.get(key);
    if (!fresh && known !== undefined && now() < known.until) return known.credential;
    // One that has ended cannot come from a cache below either.
    const anew = fresh || (known?.credential !== undefined && now() >= known.until);
    const ask = (flight: Flight): Promise<Credential | undefined> =>
      keychain(target, { signal: flight.signal, fresh: anew });
    const credential = await flights.run(`${key} ${anew}`, ask, signal);
    answers.set(key, { credential, until: holdsUntil(credential, now()) });
    return credential;
  };
};

const holdsUntil = (credential: Credential | undefined, now: number): number => {
  if (credential === undefined) return now + noneHolds;
  if (credential.expiresAt === undefined) return Number.POSITIVE_INFINITY;
  // Whoever gives one that has ended gives it again: each request would run a helper, or ask a cloud.
  return Math.max(credential.expiresAt.getTime() - margin, now + noneHolds);
};
